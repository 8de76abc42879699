/** What people type into forms, as numbers and names. */

/** An identifier of rules, recipients, products and escalations. */
export const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** People write 7,5 or 7.5; NaN where it is no number. */
export function numberIn(typed: string): number {
  const plain = typed.trim().replace(",", ".");
  return plain === "" ? Number.NaN : Number(plain);
}

/** Null where nothing was typed. */
export function maybe(typed: string): number | null {
  return typed.trim() === "" ? null : numberIn(typed);
}

export function text(value: number | null): string {
  return value === null ? "" : String(value);
}

/** Parts of a list such as `manager, driver`. */
export function listIn(typed: string): string[] {
  return typed.split(/[\s,]+/).filter((part) => part !== "");
}
