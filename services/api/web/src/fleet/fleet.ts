/** The devices on the screen: loaded page by page, then kept up to date by the stream, one signal per device. */
import { batch, signal, type Signal } from "@preact/signals";
import { Failure, fleetPages, isAbort } from "../api/client";
import type { FleetDevice, Forecast, Incident, LiveEvents, LivePoint } from "../api/types";
import { learnTime, present } from "../clock";
import { learnNames } from "../device/names";
import { isLive } from "../incidents/wording";
import { LiveStream } from "../live/stream";
import { rank, worstFirst, type Ranked } from "./status";

/** What is missed by the stream, such as a label that somebody changed, is seen after this. */
const RELOAD_MS = 60_000;
const RANK_MS = 2000;

export class Fleet {
  /** Worst first; changes places every two seconds at most, so that a row can be pointed at. */
  readonly ranked = signal<Ranked[]>([]);
  readonly loading = signal(true);
  readonly failure = signal<Failure | null>(null);
  private readonly devices = new Map<string, Signal<FleetDevice>>();
  private readonly stopped = new AbortController();
  private readonly stream: LiveStream;
  private readonly timers: ReturnType<typeof setInterval>[];
  /** What came of devices before they were loaded. */
  private readonly early = new Map<string, LiveEvents["readings"][]>();
  private pending: LiveEvents["readings"][] = [];
  private frame = 0;
  private load: Promise<void> | null = null;

  constructor() {
    this.stream = new LiveStream(
      {},
      {
        connected: (again) => again && void this.reload(),
        reset: () => void this.reload(),
        dropped: () => void this.reload(),
        readings: (event) => this.later(event),
        forecast: (forecast) => this.onForecast(forecast),
        incident: (incident) => this.onIncident(incident),
      },
    );
    this.timers = [
      setInterval(() => document.hidden || void this.reload(), RELOAD_MS),
      setInterval(() => document.hidden || this.rank(), RANK_MS),
    ];
    void this.reload();
  }

  stop(): void {
    this.stopped.abort();
    this.stream.stop();
    this.timers.forEach(clearInterval);
    cancelAnimationFrame(this.frame);
  }

  device(name: string): Signal<FleetDevice> | undefined {
    return this.devices.get(name);
  }

  /** Ask anew for everything; whoever asks while that goes on waits for the same answer. */
  async reload(): Promise<void> {
    this.load ??= this.loadAll().finally(() => {
      this.load = null;
    });
    await this.load;
  }

  private async loadAll(): Promise<void> {
    const seen = new Set<string>();
    try {
      for await (const page of fleetPages(this.stopped.signal)) {
        learnTime(page.now);
        learnNames(page.items);
        batch(() => {
          for (const device of page.items) {
            seen.add(device.device);
            this.put(device);
          }
          this.rank();
        });
      }
      for (const name of this.devices.keys()) if (!seen.has(name)) this.devices.delete(name);
      this.failure.value = null;
      this.rank();
    } catch (error) {
      if (isAbort(error)) return;
      if (!(error instanceof Failure)) throw error;
      this.failure.value = error;
    } finally {
      this.loading.value = false;
    }
  }

  private put(device: FleetDevice): void {
    const kept = this.devices.get(device.device);
    if (!kept) {
      const seen = new Date(present()).toISOString();
      const early = this.early.get(device.device) ?? [];
      this.early.delete(device.device);
      this.devices.set(device.device, signal(early.reduce((known, event) => withReadings(known, event, seen), device)));
      return;
    }
    // The stream is ahead of the hot store by some seconds.
    const ahead = kept.peek().metric === device.metric && kept.peek().ts > device.ts ? kept.peek() : device;
    const seen = kept.peek().last_seen > device.last_seen ? kept.peek().last_seen : device.last_seen;
    kept.value = { ...device, value: ahead.value, ts: ahead.ts, last_seen: seen };
  }

  private rank(): void {
    const now = present();
    const ranked = [...this.devices.values()].map((device) => rank(device.peek(), now)).sort(worstFirst);
    const before = this.ranked.peek();
    const same = (each: Ranked, at: number) => before[at]?.name === each.name && before[at]?.status === each.status && before[at]?.seen === each.seen;
    if (ranked.length !== before.length || !ranked.every(same)) this.ranked.value = ranked;
  }

  /** Collect readings until the next frame: a thousand devices send more often than a screen is drawn. */
  private later(event: LiveEvents["readings"]): void {
    this.pending.push(event);
    if (!this.frame) this.frame = requestAnimationFrame(() => this.flush());
  }

  private flush(): void {
    this.frame = 0;
    const events = this.pending;
    this.pending = [];
    const seen = new Date(present()).toISOString();
    let unknown = false;
    batch(() => {
      for (const event of events) {
        const kept = this.devices.get(event.device);
        if (kept) {
          kept.value = withReadings(kept.peek(), event, seen);
        } else {
          unknown = true;
          this.early.set(event.device, [...(this.early.get(event.device) ?? []).slice(-9), event]);
        }
      }
    });
    if (unknown) void this.reload();
  }

  private onForecast(forecast: Forecast): void {
    const kept = this.devices.get(forecast.device);
    if (!kept) return;
    const device = kept.peek();
    const own = forecast.risks.map((risk) => ({ ...risk, metric: forecast.metric, known_at: forecast.known_at }));
    // Of other metrics the last known risk stays; of this one the new forecast replaces it.
    const others = device.risk && device.risk.metric !== forecast.metric ? [device.risk] : [];
    const risks = [...own, ...others].sort((one, other) => other.probability - one.probability);
    if (risks[0]) kept.value = { ...device, risk: risks[0] };
  }

  private onIncident(incident: Incident): void {
    const kept = this.devices.get(incident.device);
    if (!kept) return;
    const shown = kept.peek().incident;
    if (isLive(incident)) kept.value = { ...kept.peek(), incident };
    else if (shown?.incident_id === incident.incident_id) {
      kept.value = { ...kept.peek(), incident: null };
      // Another of its incidents may still be open.
      void this.reload();
    }
    this.rank();
  }
}

function withReadings(device: FleetDevice, event: LiveEvents["readings"], seen: string): FleetDevice {
  const last_seen = event.replayed ? device.last_seen : seen;
  let next = { ...device, last_seen };
  for (const point of event.readings) {
    if (point.metric === device.metric && point.ts >= next.ts) next = withPoint(next, point);
  }
  return next;
}

function withPoint(device: FleetDevice, point: LivePoint): FleetDevice {
  const { start, step_seconds, values } = device.sparkline;
  const step = step_seconds * 1000;
  const at = Math.floor((Date.parse(point.ts) - Date.parse(start)) / step);
  const moved = Math.min(Math.max(0, at - values.length + 1), values.length);
  const shifted = [...values.slice(moved), ...Array.from({ length: moved }, () => null)];
  if (at >= 0) shifted[Math.min(at, values.length - 1)] = point.value;
  const sparkline = {
    start: new Date(Date.parse(start) + moved * step).toISOString(),
    step_seconds,
    values: shifted,
  };
  return { ...device, value: point.value, unit: point.unit, ts: point.ts, sparkline };
}
