/** Labels as people type them: one `name: value` a line, or several parted by commas. */
export function labelsText(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map((label) => label.join(": "))
    .join(", ");
}

/** Null where a part is no label. */
export function labelsIn(typed: string): Record<string, string> | null {
  const parts = typed.split(/[\n,]/).map((part) => part.trim()).filter((part) => part !== "");
  const pairs = parts.map((part) => /^([A-Za-z0-9_.-]{1,64})\s*[:=]\s*(\S.*)$/.exec(part));
  if (pairs.includes(null)) return null;
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? "", pair?.[2] ?? ""]));
}
