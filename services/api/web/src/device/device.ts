/** One device on the screen: its metrics, readings, forecasts, limits and incidents, kept up to date by the stream. */
import { batch, effect, signal } from "@preact/signals";
import { Failure, isAbort, pages, path, request } from "../api/client";
import type { Device, Forecast, Incident, LiveEvents, LivePoint, Page, Rule } from "../api/types";
import type { Point } from "../chart/model";
import { present } from "../clock";
import { LiveStream } from "../live/stream";
import { limitsOf } from "../rules/match";
import { joined, loadReadings } from "./readings";

export type Range = "1h" | "6h" | "24h" | "7d";

export const RANGES: Record<Range, number> = {
  "1h": 3_600_000,
  "6h": 6 * 3_600_000,
  "24h": 24 * 3_600_000,
  "7d": 7 * 24 * 3_600_000 - 60_000,
};

const INCIDENT_PAGES = 3;
const NEWEST_MS = 6 * 60_000;
const DRAW_EVERY_MS = 500;

export class DeviceModel {
  readonly device = signal<Device | null>(null);
  readonly rules = signal<Rule[]>([]);
  readonly incidents = signal<Incident[]>([]);
  readonly forecasts = signal<Record<string, Forecast | null>>({});
  readonly points = signal<Record<string, Point[]>>({});
  readonly chosen = signal<string[]>([]);
  readonly range = signal<Range>("6h");
  /** Share of the readings that is here; null when nothing loads. */
  readonly progress = signal<number | null>(0);
  readonly failure = signal<Failure | null>(null);
  private readonly stopped = new AbortController();
  private readonly stream: LiveStream;
  private readonly unwatch: () => void;
  private loading = new AbortController();
  private arrived: LivePoint[] = [];
  private drawing: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly name: string) {
    this.stream = new LiveStream(
      { device: name },
      {
        connected: (again) => again && void this.loadRest(),
        reset: () => void this.load(),
        dropped: () => void this.load(),
        readings: (event) => this.later(event),
        forecast: (forecast) => {
          this.forecasts.value = { ...this.forecasts.peek(), [forecast.metric]: forecast };
        },
        incident: (incident) => {
          const others = this.incidents.peek().filter((each) => each.incident_id !== incident.incident_id);
          this.incidents.value = [incident, ...others].sort((one, other) => (one.opened_at < other.opened_at ? 1 : -1));
        },
      },
    );
    void this.load();
    this.unwatch = effect(() => {
      const [metrics, range] = [this.chosen.value, this.range.value];
      if (metrics.length > 0) void this.loadPoints(metrics, range);
    });
  }

  stop(): void {
    this.stopped.abort();
    this.loading.abort();
    this.stream.stop();
    this.unwatch();
    clearTimeout(this.drawing);
  }

  limits(metric: string): number[] {
    return limitsOf(this.rules.value, this.name, metric);
  }

  /** Show or hide a metric; the last one stays. */
  toggle(metric: string): void {
    const chosen = this.chosen.peek();
    if (!chosen.includes(metric)) this.chosen.value = [...chosen, metric];
    else if (chosen.length > 1) this.chosen.value = chosen.filter((each) => each !== metric);
  }

  async load(): Promise<void> {
    await this.guarded(async (signal) => {
      const found = await request<Device>(`/v1/devices/${encodeURIComponent(this.name)}`, { signal });
      const rules = await request<Page<Rule>>("/v1/rules", { signal });
      batch(() => {
        this.device.value = found;
        this.rules.value = rules.items;
        this.failure.value = null;
        if (this.chosen.peek().length === 0) this.chosen.value = [this.first(found)].filter((each) => each !== "");
        else void this.loadPoints(this.chosen.peek(), this.range.peek());
      });
    });
    await this.loadNewest();
    await this.loadRest();
  }

  /** The last values of all metrics: what is kept of the device itself is up to five minutes old. */
  private async loadNewest(): Promise<void> {
    const metrics = this.device.peek()?.metrics ?? {};
    await this.guarded(async (signal) => {
      const to = present() + 60_000;
      const found = await Promise.all(
        Object.entries(metrics).map(async ([metric, { unit }]): Promise<LivePoint[]> => {
          const last = (await loadReadings(this.name, metric, to - NEWEST_MS, to, signal)).at(-1);
          return last && last[1] !== null ? [{ metric, unit, ts: new Date(last[0]).toISOString(), value: last[1] }] : [];
        }),
      );
      this.arrived.push(...found.flat());
      this.draw();
    });
  }

  /** What the stream does not replay: incidents and forecasts. */
  private async loadRest(): Promise<void> {
    await this.guarded(async (signal) => {
      const found: Incident[] = [];
      let count = 0;
      for await (const page of pages<Incident>("/v1/incidents", { limit: 200 }, signal)) {
        found.push(...page.items.filter((incident) => incident.device === this.name));
        count += 1;
        if (count >= INCIDENT_PAGES) break;
      }
      this.incidents.value = found;
    });
    await Promise.all(this.chosen.peek().map((metric) => this.loadForecast(metric)));
  }

  private first(device: Device): string {
    const metrics = Object.keys(device.metrics).sort();
    return metrics.find((metric) => this.limits(metric).length > 0) ?? metrics.find((each) => each === "temperature") ?? metrics[0] ?? "";
  }

  private async loadPoints(metrics: string[], range: Range): Promise<void> {
    this.loading.abort();
    this.loading = new AbortController();
    const { signal } = this.loading;
    const to = present() + 60_000;
    const shares = new Map(metrics.map((metric) => [metric, 0]));
    this.progress.value = 0;
    await this.guarded(async () => {
      await Promise.all(
        metrics.map(async (metric) => {
          const points = await loadReadings(this.name, metric, to - RANGES[range] - 60_000, to, signal, (share) => {
            shares.set(metric, share);
            this.progress.value = [...shares.values()].reduce((sum, each) => sum + each, 0) / metrics.length;
          });
          const live = (this.points.peek()[metric] ?? []).filter(([at]) => at > (points.at(-1)?.[0] ?? 0));
          this.points.value = { ...this.points.peek(), [metric]: [...points, ...live] };
          if (this.forecasts.peek()[metric] === undefined) await this.loadForecast(metric);
        }),
      );
    }, signal);
    if (!signal.aborted) this.progress.value = null;
  }

  private async loadForecast(metric: string): Promise<void> {
    await this.guarded(async (signal) => {
      const address = path(`/v1/devices/${encodeURIComponent(this.name)}/forecasts`, { metric });
      let found: Forecast | null = null;
      try {
        found = await request<Forecast>(address, { signal });
      } catch (error) {
        if (!(error instanceof Failure && error.kind === "missing")) throw error;
      }
      this.forecasts.value = { ...this.forecasts.peek(), [metric]: found };
    });
  }

  private async guarded(work: (signal: AbortSignal) => Promise<void>, signal = this.stopped.signal): Promise<void> {
    try {
      await work(signal);
    } catch (error) {
      if (isAbort(error) || signal.aborted) return;
      if (!(error instanceof Failure)) throw error;
      this.failure.value = error;
    }
  }

  private later(event: LiveEvents["readings"]): void {
    this.arrived.push(...event.readings);
    this.drawing ??= setTimeout(() => this.draw(), DRAW_EVERY_MS);
  }

  private draw(): void {
    const arrived = this.arrived;
    this.arrived = [];
    this.drawing = undefined;
    const points = { ...this.points.peek() };
    const metrics = { ...this.device.peek()?.metrics };
    for (const live of arrived) {
      const kept = points[live.metric];
      if (kept) points[live.metric] = joined(kept, live);
      if ((metrics[live.metric]?.last_ts ?? "") <= live.ts) {
        metrics[live.metric] = { unit: live.unit, last_ts: live.ts, last_value: live.value };
      }
    }
    const device = this.device.peek();
    batch(() => {
      this.points.value = points;
      if (device) this.device.value = { ...device, metrics };
    });
  }
}
