/** One device on the screen: its metrics, readings, forecasts, limits and incidents, kept up to date by the stream. */
import { batch, computed, effect, signal } from "@preact/signals";
import { Failure, isAbort, pages, path, request } from "../api/client";
import type { Device, Forecast, Incident, LiveEvents, LivePoint, Page, Rule } from "../api/types";
import { LONGEST_MS, type Span } from "../chart/span";
import { now, present } from "../clock";
import { LiveStream } from "../live/stream";
import { markedOf } from "../incidents/marked";
import { limitsOf } from "../rules/match";
import { learnNames } from "./names";
import { loadReadings } from "./readings";
import { ShownSeries } from "./series";

const HOUR = 3_600_000;

export const RANGES = { "1h": HOUR, "6h": 6 * HOUR, "24h": 24 * HOUR, "7d": 168 * HOUR, "30d": 720 * HOUR, "1y": 8760 * HOUR };
export type Range = keyof typeof RANGES;

/** A forecast reaches an hour ahead, and a bit stays free. */
const AHEAD_MS = 65 * 60_000;
const INCIDENT_PAGES = 3;
const NEWEST_MS = 6 * 60_000;
/** At most so often, and never before what was drawn last is on the screen. */
const DRAW_EVERY_MS = 100;
const NONE: Record<string, string> = {};

export class DeviceModel {
  readonly device = signal<Device | null>(null);
  readonly rules = signal<Rule[]>([]);
  readonly incidents = signal<Incident[]>([]);
  readonly forecasts = signal<Record<string, Forecast | null>>({});
  readonly chosen = signal<string[]>([]);
  readonly failure = signal<Failure | null>(null);
  readonly readings: ShownSeries;
  /** How long the past is that is shown, and where it ends; null follows the present. */
  readonly shown = signal<{ length: number; end: number | null }>({ length: RANGES["6h"], end: null });
  /** Moves on every ten seconds: often enough for the eye, seldom enough for a phone's battery. */
  readonly at = computed(() => Math.floor(now.value / 10_000) * 10_000);
  readonly span = computed<Span>(() => {
    const { length, end } = this.shown.value;
    return end === null ? { from: this.at.value - length, to: this.latest.value } : { from: end - length, to: end };
  });
  private readonly latest = computed(() => this.at.value + (this.looksAhead.value ? AHEAD_MS : 60_000));
  private readonly looksAhead = computed(() =>
    this.chosen.value.some((metric) => Date.parse(this.forecasts.value[metric]?.known_at ?? "") > this.at.value - AHEAD_MS),
  );
  private readonly labels = computed(() => this.device.value?.labels ?? NONE);
  /** The limits of each metric that is shown. */
  readonly limitsOf = computed<Record<string, number[]>>(() =>
    Object.fromEntries(this.chosen.value.map((metric) => [metric, limitsOf(this.rules.value, { device: this.name, labels: this.labels.value }, metric)])),
  );
  /** The metrics, those with limits first: they are what a device is watched for. */
  readonly metrics = computed(() => {
    const device = this.device.value;
    if (!device) return [];
    const limited = (metric: string): boolean => limitsOf(this.rules.value, device, metric).length > 0;
    return Object.keys(device.metrics).sort((one, other) => Number(limited(other)) - Number(limited(one)) || (one < other ? -1 : 1));
  });
  readonly marked = computed(() => this.incidents.value.flatMap((incident) => markedOf(incident, this.at.value)));
  private readonly stopped = new AbortController();
  private readonly stream: LiveStream;
  private readonly unwatch: () => void;
  private arrived: LivePoint[] = [];
  private drawing: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly name: string,
    wanted: Span | null,
  ) {
    if (wanted) this.moveTo(wanted);
    this.readings = new ShownSeries(name, (failure) => (this.failure.value = failure));
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
      if (this.chosen.value.length > 0) this.readings.show(this.chosen.value, this.span.value);
    });
  }

  stop(): void {
    this.stopped.abort();
    this.readings.stop();
    this.stream.stop();
    this.unwatch();
    clearTimeout(this.drawing);
  }

  /** Show or hide a metric; the last one stays. */
  toggle(metric: string): void {
    const chosen = this.chosen.peek();
    if (!chosen.includes(metric)) this.chosen.value = [...chosen, metric];
    else if (chosen.length > 1) this.chosen.value = chosen.filter((each) => each !== metric);
  }

  /** Show a stretch of time; one that reaches the present follows it from now on. */
  moveTo({ from, to }: Span): void {
    const latest = this.latest.peek();
    if (to < latest) this.shown.value = { length: to - from, end: to };
    else this.shown.value = { length: Math.min(this.at.peek() - (from - (to - latest)), LONGEST_MS), end: null };
  }

  choose(range: Range): void {
    this.shown.value = { length: RANGES[range], end: null };
  }

  async load(): Promise<void> {
    await this.guarded(async (signal) => {
      const found = await request<Device>(`/v1/devices/${encodeURIComponent(this.name)}`, { signal });
      const rules = await request<Page<Rule>>("/v1/rules", { signal });
      learnNames([found]);
      batch(() => {
        this.device.value = found;
        this.rules.value = rules.items;
        this.failure.value = null;
        if (this.chosen.peek().length === 0) this.chosen.value = [this.first()].filter((each) => each !== "");
        else this.readings.reload();
      });
    });
    await Promise.all([this.loadNewest(), this.loadRest()]);
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
    const metrics = Object.keys(this.device.peek()?.metrics ?? {});
    await Promise.all([this.loadIncidents(), ...metrics.map((metric) => this.loadForecast(metric))]);
  }

  private async loadIncidents(): Promise<void> {
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
  }

  /** The metric that is shown at first. */
  private first(): string {
    const metrics = this.metrics.peek();
    const [main] = metrics;
    const unlimited = (metric: string): boolean => limitsOf(this.rules.peek(), { device: this.name, labels: this.labels.peek() }, metric).length === 0;
    return main !== undefined && unlimited(main) && metrics.includes("temperature") ? "temperature" : (main ?? "");
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

  private async guarded(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.stopped;
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
    this.drawSoon();
  }

  private drawSoon(): void {
    this.drawing ??= setTimeout(() => {
      this.draw();
      requestAnimationFrame(() => {
        this.drawing = undefined;
        if (this.arrived.length > 0 && !this.stopped.signal.aborted) this.drawSoon();
      });
    }, DRAW_EVERY_MS);
  }

  private draw(): void {
    const arrived = this.arrived;
    this.arrived = [];
    const metrics = { ...this.device.peek()?.metrics };
    for (const live of arrived) {
      if ((metrics[live.metric]?.last_ts ?? "") <= live.ts) {
        metrics[live.metric] = { unit: live.unit, last_ts: live.ts, last_value: live.value };
      }
    }
    const device = this.device.peek();
    batch(() => {
      this.readings.take(arrived);
      if (device) this.device.value = { ...device, metrics };
    });
  }
}
