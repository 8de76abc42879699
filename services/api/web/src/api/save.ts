/** Saves what the API answers as a file. */
import { arriving, authorization, failureOf } from "./client";

/** Ask for a file and hand it to the browser; throws `Failure`. The file's name is the service's. */
export async function save(path: string): Promise<void> {
  const response = await arriving(fetch(path, { headers: authorization() }));
  if (!response.ok) throw await failureOf(response);
  const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? "sensorcast";
  hand(name, await arriving(response.blob()));
}

/** Hand a file to the browser. */
export function hand(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
