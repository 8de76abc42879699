/** API keys: asking for them, making and revoking them. */
import { pages, request } from "../api/client";
import type { KeyState, NewKey, Page, Role } from "../api/types";

export interface Wanted {
  name: string;
  role: Role;
  scopes: string[];
  expires_in_days: number;
}

export async function loadKeys(signal: AbortSignal): Promise<KeyState[]> {
  const found: KeyState[] = [];
  for await (const page of pages<KeyState, Page<KeyState>>("/v1/keys", { limit: 200 }, signal)) found.push(...page.items);
  return found;
}

/** Sent once: the service shows a key in no second answer. */
export async function makeKey(wanted: Wanted): Promise<NewKey> {
  return await request<NewKey>("/v1/keys", { method: "POST", body: wanted });
}

export async function revokeKey(keyId: string): Promise<void> {
  await request(`/v1/keys/${encodeURIComponent(keyId)}`, { method: "DELETE" });
}

/** Whether it opens something now. */
export function isValid({ revoked_at: revoked, expires_at: expires }: KeyState, now: number): boolean {
  return revoked === null && Date.parse(expires) > now;
}
