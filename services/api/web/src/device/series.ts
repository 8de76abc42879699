/** The readings of a device around the stretch that is shown: as fine as a screen can show, loaded ahead, kept up to date. */
import { signal } from "@preact/signals";
import { Failure, isAbort } from "../api/client";
import type { LivePoint } from "../api/types";
import type { Span } from "../chart/span";
import { present } from "../clock";
import { joined, loadSeries, type Series, stepFor } from "./readings";

/** Half a screen on both sides is loaded too, so that a short move shows something at once. */
const BESIDE = 0.5;
const SETTLED_MS = 150;

export class ShownSeries {
  readonly series = signal<Record<string, Series>>({});
  /** Whether something loads. */
  readonly loading = signal(true);
  private metrics: string[] = [];
  private span: Span = { from: 0, to: 0 };
  private running = new AbortController();
  private settling: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly device: string,
    private readonly failed: (failure: Failure | null) => void,
  ) {}

  stop(): void {
    clearTimeout(this.settling);
    this.running.abort();
  }

  /** Show these metrics from now on; what is missing of them loads once the hand rests. */
  show(metrics: string[], span: Span): void {
    this.metrics = metrics;
    this.span = span;
    if (this.missing().length === 0) return;
    clearTimeout(this.settling);
    const known = metrics.some((metric) => this.series.peek()[metric]);
    this.settling = setTimeout(() => void this.load(this.missing()), known ? SETTLED_MS : 0);
  }

  /** Load everything that is shown anew, since some of it was missed. */
  reload(): void {
    if (this.metrics.length > 0) void this.load(this.metrics);
  }

  take(readings: LivePoint[]): void {
    const series = { ...this.series.peek() };
    for (const [metric, live] of byMetric(readings)) {
      const kept = series[metric];
      // Where the past is shown, what is new does not belong; where a gap would be, it is loaded instead.
      if (!kept?.open) continue;
      const points = joined(kept.points, live);
      series[metric] = { ...kept, points, to: Math.max(kept.to, points.at(-1)?.[0] ?? kept.to) };
    }
    this.series.value = series;
  }

  private missing(): string[] {
    const step = stepFor(this.span);
    return this.metrics.filter((metric) => {
      const kept = this.series.peek()[metric];
      return !kept || kept.step !== step || kept.from > this.span.from || (kept.to < this.span.to && !kept.open);
    });
  }

  private async load(metrics: string[]): Promise<void> {
    this.running.abort();
    this.running = new AbortController();
    const { signal: aborted } = this.running;
    const beside = (this.span.to - this.span.from) * BESIDE;
    const latest = present() + 60_000;
    const to = Math.min(this.span.to + beside, latest);
    const from = Math.min(this.span.from - beside, to - 60_000);
    const step = stepFor(this.span);
    this.loading.value = true;
    try {
      await Promise.all(
        metrics.map(async (metric) => {
          const loaded = await loadSeries(this.device, metric, { from, to }, step, aborted);
          const live = this.series.peek()[metric]?.points.filter(([at]) => at > (loaded.points.at(-1)?.[0] ?? 0)) ?? [];
          const points = to === latest ? [...loaded.points, ...live] : loaded.points;
          this.series.value = { ...this.series.peek(), [metric]: { ...loaded, points, open: to === latest } };
        }),
      );
      this.failed(null);
    } catch (error) {
      if (isAbort(error) || aborted.aborted) return;
      if (!(error instanceof Failure)) throw error;
      this.failed(error);
    }
    this.loading.value = false;
  }
}

function byMetric(readings: readonly LivePoint[]): Map<string, LivePoint[]> {
  const found = new Map<string, LivePoint[]>();
  for (const live of readings) {
    const known = found.get(live.metric);
    if (known) known.push(live);
    else found.set(live.metric, [live]);
  }
  return found;
}
