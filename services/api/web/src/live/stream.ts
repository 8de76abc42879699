/** The live view of some devices: connects, notices silence, comes again where it was, and rests while nobody looks. */
import { signal } from "@preact/signals";
import { authorization, type Failure, failureOf } from "../api/client";
import type { LiveEvents } from "../api/types";
import { EventParser } from "./sse";

export type Connection = "connecting" | "live" | "waiting" | "lost" | "polling" | "none";

/** How the stream of the present view is: `waiting` means connected, but the broker has not answered yet;
 * `polling` that there are too many devices for a stream, `none` that there is nothing to watch. */
export const connection = signal<Connection>("connecting");
/** When the stream was lost, in milliseconds since 1970; null while it is not. */
export const lostAt = signal<number | null>(null);

/** The service sends a heartbeat every 15 s; after three of them are missing the connection is dead. */
const SILENCE_MS = 45_000;
const LONGEST_PAUSE_MS = 15_000;
/** A browser opens six connections to a server: tabs in the background must not hold them. */
const REST_AFTER_MS = 30_000;

export type Handlers = { [Name in keyof LiveEvents]?: (data: LiveEvents[Name]) => void } & {
  /** Connected: what is shown may have changed unseen where `again` says that there was a gap. */
  connected?: (again: boolean) => void;
};

export interface Watched {
  device?: string;
  kinds?: ("readings" | "incident" | "forecast")[];
}

export class LiveStream {
  private stopped = new AbortController();
  private attempt: AbortController | null = null;
  private lastEventId: string | null = null;
  private pause = 2000;
  private failures = 0;
  private connected = false;
  private wake: () => void = () => undefined;
  private resting: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly watched: Watched,
    private readonly handlers: Handlers,
  ) {
    connection.value = "connecting";
    lostAt.value = null;
    addEventListener("online", this.online, { signal: this.stopped.signal });
    addEventListener("offline", this.offline, { signal: this.stopped.signal });
    document.addEventListener("visibilitychange", this.visibility, { signal: this.stopped.signal });
    void this.run();
  }

  stop(): void {
    clearTimeout(this.resting);
    this.stopped.abort();
    this.attempt?.abort();
    this.wake();
  }

  private readonly online = (): void => {
    this.failures = 0;
    this.wake();
  };

  private readonly offline = (): void => this.attempt?.abort();

  private readonly visibility = (): void => {
    clearTimeout(this.resting);
    if (document.hidden) this.resting = setTimeout(() => this.attempt?.abort(), REST_AFTER_MS);
    else this.wake();
  };

  private async run(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      try {
        await this.read(this.connected);
      } catch {
        // Whatever ended the connection, the next attempt says how things are; `connection` shows it meanwhile.
      }
      if (this.stopped.signal.aborted) return;
      connection.value = "lost";
      lostAt.value ??= Date.now();
      this.failures += 1;
      await this.rest();
    }
  }

  /** One connection, from its request to its end. */
  private async read(again: boolean): Promise<void> {
    this.attempt = new AbortController();
    const { signal: aborted } = this.attempt;
    const watchdog = new Watchdog(SILENCE_MS, this.attempt);
    try {
      const response = await fetch(this.address(), { headers: this.headers(), cache: "no-store", signal: aborted });
      if (!response.ok || !response.body) {
        const failure = await failureOf(response);
        this.giveUp(failure);
        throw failure;
      }
      const parser = new EventParser((milliseconds) => {
        this.pause = Math.max(500, milliseconds);
      });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        watchdog.feed();
        for (const event of parser.push(value)) {
          if (this.stopped.signal.aborted) return;
          this.handle(event.event, event.data, again);
          if (event.id !== null) this.lastEventId = event.id;
        }
      }
    } finally {
      watchdog.end();
    }
  }

  /** Asking again helps where the service is away or busy, and nowhere else. */
  private giveUp(failure: Failure): void {
    if (failure.kind === "invalid") connection.value = "polling";
    else if (failure.kind === "missing") connection.value = "none";
    if (["invalid", "missing", "unauthorized", "forbidden"].includes(failure.kind)) this.stop();
  }

  private handle(name: string, text: string, again: boolean): void {
    const data: unknown = JSON.parse(text);
    if (name === "watching") {
      const { live } = data as LiveEvents["watching"];
      connection.value = live ? "live" : "waiting";
      lostAt.value = null;
      this.failures = 0;
      this.connected = true;
      this.handlers.connected?.(again);
    } else if (name === "readings") {
      connection.value = "live";
    }
    const handler = this.handlers[name as keyof LiveEvents] as ((data: unknown) => void) | undefined;
    handler?.(data);
  }

  private address(): string {
    const query = new URLSearchParams((this.watched.kinds ?? []).map((kind) => ["kind", kind]));
    if (this.watched.device) query.set("device", this.watched.device);
    return query.size > 0 ? `/v1/events?${query}` : "/v1/events";
  }

  private headers(): Record<string, string> {
    const headers: Record<string, string> = { Accept: "text/event-stream", ...authorization() };
    if (this.lastEventId !== null) headers["Last-Event-ID"] = this.lastEventId;
    return headers;
  }

  /** Wait before the next attempt: longer each time, and for as long as nobody looks or there is no network. */
  private async rest(): Promise<void> {
    const longest = Math.min(LONGEST_PAUSE_MS, this.pause * 2 ** Math.min(this.failures - 1, 5));
    const wait = longest * (0.5 + Math.random() / 2);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        if (!document.hidden) resolve();
      }, wait);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Ends an attempt on which nothing was heard for too long. */
class Watchdog {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly milliseconds: number,
    private readonly attempt: AbortController,
  ) {
    this.feed();
  }

  feed(): void {
    this.end();
    this.timer = setTimeout(() => this.attempt.abort(), this.milliseconds);
  }

  end(): void {
    clearTimeout(this.timer);
  }
}
