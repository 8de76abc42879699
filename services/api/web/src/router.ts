/** Which view the address asks for. Links are plain links; those of this page change the view without loading it anew. */
import type { Span } from "./chart/span";
import { batch, computed, signal } from "@preact/signals";

export type View =
  | { name: "fleet" }
  | { name: "device"; device: string }
  | { name: "incidents" }
  | { name: "incident"; id: string }
  | { name: "history" }
  | { name: "status" }
  | { name: "rules" }
  | { name: "rule"; id: string }
  | { name: "recipients" }
  | { name: "recipient"; id: string }
  | { name: "silences" }
  | { name: "products" }
  | { name: "product"; id: string }
  | { name: "escalations" }
  | { name: "escalation"; id: string }
  | { name: "keys" }
  | { name: "missing" };

/** The identifier under which something is made; nothing can have it, as it does not begin with a letter. */
export const NEW = "+";

const path = signal(location.pathname);
/** What the address asks of the view, such as a stretch of time. */
export const query = signal(location.search);

export const view = computed<View>(() => parse(path.value));

export const links = {
  fleet: "/",
  incidents: "/incidents",
  history: "/history",
  recipients: "/recipients",
  rules: "/rules",
  silences: "/silences",
  products: "/products",
  escalations: "/escalations",
  keys: "/keys",
  status: "/status",
  device: (device: string, span?: Span) => `/devices/${encodeURIComponent(device)}${span ? `?from=${span.from}&to=${span.to}` : ""}`,
  incident: (id: string) => `/incidents/${encodeURIComponent(id)}`,
  escalation: (id: string) => `/escalations/${encodeURIComponent(id)}`,
  product: (id: string) => `/products/${encodeURIComponent(id)}`,
  recipient: (id: string) => `/recipients/${encodeURIComponent(id)}`,
  rule: (id: string) => `/rules/${encodeURIComponent(id)}`,
};

export function parse(pathname: string): View {
  const [first, second, ...rest] = pathname.split("/").filter(Boolean).map(decoded);
  if (rest.length > 0) return { name: "missing" };
  if (first === undefined) return { name: "fleet" };
  if (first === "devices" && second) return { name: "device", device: second };
  if (first === "incidents") return second ? { name: "incident", id: second } : { name: "incidents" };
  if (isSingle(first) && second === undefined) return { name: first };
  if (first === "products") return second ? { name: "product", id: second } : { name: "products" };
  if (first === "escalations") return second ? { name: "escalation", id: second } : { name: "escalations" };
  if (first === "recipients") return second ? { name: "recipient", id: second } : { name: "recipients" };
  if (first === "rules") return second ? { name: "rule", id: second } : { name: "rules" };
  return { name: "missing" };
}

function isSingle(name: string): name is "history" | "status" | "silences" | "keys" {
  return ["history", "status", "silences", "keys"].includes(name);
}

/** The stretch of time that an address asks for, in milliseconds since 1970 UTC; null where it asks for none. */
export function spanOf(search: string): Span | null {
  const asked = new URLSearchParams(search);
  const [from, to] = [Number(asked.get("from")), Number(asked.get("to"))];
  return from > 0 && to > from ? { from, to } : null;
}

export function go(to: string): void {
  history.pushState(null, "", to);
  follow();
  window.scrollTo(0, 0);
  // Whoever listens or tabs goes on at the new view, not at a link that is gone.
  document.getElementById("main")?.focus({ preventScroll: true });
}

export function startRouter(): void {
  addEventListener("popstate", follow);
  document.addEventListener("click", (event) => {
    const anchor = event.target instanceof Element ? event.target.closest("a") : null;
    const own = anchor instanceof HTMLAnchorElement && anchor.origin === location.origin && !anchor.download;
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!own || !plain || event.defaultPrevented || anchor.target || parse(anchor.pathname).name === "missing") return;
    if (anchor.hash && anchor.pathname === location.pathname) return;
    event.preventDefault();
    go(anchor.pathname + anchor.search);
  });
}

function follow(): void {
  batch(() => {
    path.value = location.pathname;
    query.value = location.search;
  });
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
