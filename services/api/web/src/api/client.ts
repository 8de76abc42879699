/** Requests to the API with the key of this session; a failure is a `Failure` that says what a person can do. */
import type { FleetDevice, FleetPage, Page, Problem } from "./types";

export type FailureKind = "offline" | "slow" | "unauthorized" | "forbidden" | "missing" | "conflict" | "invalid" | "busy" | "server";

export class Failure extends Error {
  constructor(
    readonly kind: FailureKind,
    readonly problem: Problem | null = null,
  ) {
    super(problem?.detail ?? problem?.title ?? kind);
    this.name = "Failure";
  }
}

let key = "";
let onUnauthorized: () => void = () => undefined;

/** Use this key from now on, and call back when the API no longer takes it. */
export function authorize(newKey: string, unauthorized: () => void): void {
  key = newKey;
  onUnauthorized = unauthorized;
}

export function authorization(): Record<string, string> {
  return { Authorization: `Bearer ${key}` };
}

interface Sent {
  method?: "GET" | "PUT" | "POST" | "PATCH" | "DELETE";
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** One request for JSON; throws `Failure`, or an AbortError where `signal` said so. */
export async function request<Answer>(path: string, sent: Sent = {}): Promise<Answer> {
  const init: RequestInit = {
    method: sent.method ?? "GET",
    headers: { Accept: "application/json", ...authorization(), ...sent.headers },
    cache: "no-store",
  };
  if (sent.signal) init.signal = sent.signal;
  if (sent.body !== undefined) {
    init.body = JSON.stringify(sent.body);
    init.headers = { ...init.headers, "Content-Type": "application/json" };
  }
  const response = await arriving(fetch(path, init));
  if (!response.ok) throw await failureOf(response);
  return (response.status === 204 ? undefined : await arriving(response.json())) as Answer;
}

/** What a connection brings, or the `Failure` that it ended with: also when it ends in the middle of an answer. */
export async function arriving<Value>(connection: Promise<Value>): Promise<Value> {
  try {
    return await connection;
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new Failure(error instanceof DOMException && error.name === "TimeoutError" ? "slow" : "offline");
  }
}

/** A write that may be sent twice without harm: the service knows it by its name. */
export async function send<Answer>(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const name = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const once = (): Promise<Answer> => request<Answer>(path, { method: "POST", body: body ?? {}, headers: { "Idempotency-Key": name, ...headers } });
  try {
    return await once();
  } catch (error) {
    if (!(error instanceof Failure && error.kind === "offline")) throw error;
    return await once();
  }
}

export async function failureOf(response: Response): Promise<Failure> {
  let problem: Problem | null = null;
  try {
    problem = (await response.json()) as Problem;
  } catch {
    // A proxy may answer with a page of its own; the status says enough.
  }
  const failure = new Failure(kindOf(response.status, problem), problem);
  if (failure.kind === "unauthorized") onUnauthorized();
  return failure;
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

function kindOf(status: number, problem: Problem | null): FailureKind {
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 404) return "missing";
  if (status === 409 || status === 412 || status === 428) return "conflict";
  if (status === 422) return "invalid";
  // Our own service that cannot do this now, unlike a proxy that finds no service.
  if (problem?.title && (status === 429 || status === 502 || status === 503)) return "busy";
  return status === 502 || status === 503 || status === 504 ? "offline" : "server";
}

/** A path with parameters; those that are undefined are left out. */
export function path(base: string, parameters: Record<string, string | number | undefined | null>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null) query.set(name, String(value));
  }
  const text = query.toString();
  if (!text) return base;
  return base.includes("?") ? `${base}&${text}` : `${base}?${text}`;
}

/** The pages of a list, one after the other. */
export async function* pages<Item, Answer extends { next_cursor: string | null } = Page<Item>>(
  base: string,
  parameters: Record<string, string | number | undefined>,
  signal?: AbortSignal,
): AsyncGenerator<Answer> {
  let cursor: string | null | undefined;
  do {
    const answer: Answer = await request<Answer>(
      path(base, { ...parameters, cursor: cursor ?? undefined }),
      signal ? { signal } : {},
    );
    yield answer;
    cursor = answer.next_cursor;
  } while (cursor);
}

export function fleetPages(signal: AbortSignal): AsyncGenerator<FleetPage> {
  return pages<FleetDevice, FleetPage>("/v1/fleet", { limit: 200 }, signal);
}
