/** Reads server-sent events (HTML standard, section 9.2) from a fetch, since EventSource cannot send a key. */

export interface ServerEvent {
  event: string;
  data: string;
  id: string | null;
}

/** Splits text into events; `retry` is told where the server names how long to wait before coming again. */
export class EventParser {
  private rest = "";
  private event = "";
  private data: string[] = [];
  private id: string | null = null;

  constructor(private readonly retry: (milliseconds: number) => void) {}

  *push(text: string): Generator<ServerEvent> {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (this.data.length > 0) yield { event: this.event || "message", data: this.data.join("\n"), id: this.id };
        this.event = "";
        this.data = [];
        this.id = null;
      } else {
        this.field(line);
      }
    }
  }

  private field(line: string): void {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.event = value;
    else if (name === "data") this.data.push(value);
    else if (name === "id") this.id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.retry(Number(value));
  }
}
