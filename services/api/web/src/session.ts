/** Who is signed in. The key lives in this tab's session storage and nowhere else. */
import { signal } from "@preact/signals";
import { authorize, Failure, request } from "./api/client";
import type { Me } from "./api/types";

const STORED = "sensorcast.key";

export type Session =
  | { state: "starting" }
  | { state: "signed-out"; reason: "none" | "expired" | "wrong" | "offline" }
  | { state: "signed-in"; me: Me };

export const session = signal<Session>({ state: "starting" });

/** Take the key of a link such as `/#key=sc_...` out of the address, before anything else sees it there. */
export function takeKeyFromAddress(): string | null {
  const found = new URLSearchParams(location.hash.slice(1)).get("key");
  if (found === null) return null;
  history.replaceState(history.state, "", location.pathname + location.search);
  // Kept at once: whoever reloads before the answer comes must not need the link again.
  sessionStorage.setItem(STORED, found);
  return found;
}

/** Sign in as before, or with the key of a link, also of one that is opened while the page is. */
export function startSession(): void {
  addEventListener("hashchange", () => {
    if (location.hash.includes("key=")) void resume();
  });
  void resume();
}

async function resume(): Promise<void> {
  const linked = takeKeyFromAddress();
  const key = linked ?? sessionStorage.getItem(STORED);
  if (key) await signIn(key, linked === null ? "expired" : "wrong");
  else session.value = { state: "signed-out", reason: "none" };
}

/** Try a key; where it opens nothing, the session says why. */
export async function signIn(key: string, ifRefused: "expired" | "wrong" = "wrong"): Promise<void> {
  authorize(key, () => undefined);
  try {
    const me = await request<Me>("/v1/me");
    sessionStorage.setItem(STORED, key);
    authorize(key, expire);
    session.value = { state: "signed-in", me };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const refused = error.kind === "unauthorized";
    if (refused) sessionStorage.removeItem(STORED);
    else sessionStorage.setItem(STORED, key);
    session.value = { state: "signed-out", reason: refused ? ifRefused : "offline" };
  }
}

export function signOut(): void {
  leave("none");
}

function expire(): void {
  leave("expired");
}

function leave(reason: "none" | "expired"): void {
  sessionStorage.removeItem(STORED);
  authorize("", () => undefined);
  session.value = { state: "signed-out", reason };
}

/** Whether the key may see and change keys. */
export function mayManage(): boolean {
  return session.value.state === "signed-in" && session.value.me.role === "admin";
}

export function mayEdit(): boolean {
  return session.value.state === "signed-in" && session.value.me.role !== "viewer";
}
