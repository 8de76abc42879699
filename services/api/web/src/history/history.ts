/** The past of some devices: what is asked, and what it comes to. */
import { computed, signal } from "@preact/signals";
import { Failure, isAbort, pages, request } from "../api/client";
import { loadAggregates } from "../api/history";
import type { AggregateSeries, Bucket, Device, Page, Rule } from "../api/types";
import type { Span } from "../chart/span";
import { present } from "../clock";
import { limits, limitsOf, matches } from "../rules/match";
import { leastInsideFirst, summarize } from "./summary";

const DAY = 86_400_000;
export const LENGTHS = { "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY, "90d": 90 * DAY } as const;
export type Length = keyof typeof LENGTHS;

/** Devices that one request may name. */
const AT_ONCE = 100;

export class History {
  readonly devices = signal<Device[] | null>(null);
  readonly metric = signal("");
  readonly span = signal<Span>({ from: present() - LENGTHS["7d"], to: present() });
  readonly length = signal<Length | null>("7d");
  readonly label = signal("");
  readonly low = signal<number | null>(null);
  readonly high = signal<number | null>(null);
  readonly series = signal<AggregateSeries[] | null>(null);
  readonly chosen = signal<string | null>(null);
  readonly loading = signal(false);
  readonly failure = signal<Failure | null>(null);
  readonly metrics = computed(() => [...new Set((this.devices.value ?? []).flatMap(({ metrics }) => Object.keys(metrics)))].sort());
  /** The devices that are asked for: those that measure this and have the label, as `site: north`. */
  readonly asked = computed(() =>
    (this.devices.value ?? []).filter(
      ({ metrics, labels }) => this.metric.value in metrics && (!this.label.value || Object.entries(labels).some((each) => each.join(": ") === this.label.value)),
    ),
  );
  readonly summaries = computed(() =>
    (this.series.value ?? []).map(summarize).filter((each) => each !== null).sort(leastInsideFirst),
  );
  private rules: Rule[] = [];
  private running = new AbortController();

  async start(): Promise<void> {
    await this.guarded(async (aborted) => {
      const devices: Device[] = [];
      for await (const page of pages<Device>("/v1/devices", { limit: 200 }, aborted)) devices.push(...page.items);
      this.rules = (await request<Page<Rule>>("/v1/rules", { signal: aborted })).items;
      this.devices.value = devices;
      const known = this.metrics.value;
      const limited = known.find((metric) => devices.some((device) => limitsOf(this.rules, device, metric).length > 0));
      this.measure(limited ?? (known.includes("temperature") ? "temperature" : (known[0] ?? "")));
    });
  }

  stop(): void {
    this.running.abort();
  }

  /** Ask for another metric, within the limits that rules set for it. */
  measure(metric: string): void {
    this.metric.value = metric;
    const rule = this.rules.find((each) => {
      const set = limits(each);
      return each.enabled && matches(each.metric, metric) && (set.above !== null || set.below !== null);
    });
    const set = rule ? limits(rule) : null;
    this.low.value = set?.below ?? null;
    this.high.value = set?.above ?? null;
    void this.load();
  }

  choose(length: Length): void {
    this.length.value = length;
    this.span.value = { from: present() - LENGTHS[length], to: present() };
    void this.load();
  }

  between(span: Span): void {
    this.length.value = null;
    this.span.value = span;
    if (span.to > span.from) void this.load();
  }

  bucket(): Bucket {
    const { from, to } = this.span.peek();
    return to - from > 14 * DAY ? "day" : "hour";
  }

  async load(): Promise<void> {
    const names = this.asked.peek().map(({ device }) => device);
    if (names.length === 0) return;
    this.loading.value = true;
    await this.guarded(async (aborted) => {
      const found: AggregateSeries[] = [];
      for (let at = 0; at < names.length; at += AT_ONCE) {
        const devices = names.slice(at, at + AT_ONCE);
        const asked = { devices, metrics: [this.metric.peek()], ...this.span.peek(), bucket: this.bucket() };
        const answer = await loadAggregates({ ...asked, low: this.low.peek(), high: this.high.peek() }, aborted);
        found.push(...answer.series);
      }
      this.series.value = found;
      const [worst] = this.summaries.value;
      if (!found.some(({ device }) => device === this.chosen.peek())) this.chosen.value = worst?.device ?? null;
    });
  }

  private async guarded(work: (aborted: AbortSignal) => Promise<void>): Promise<void> {
    this.running.abort();
    this.running = new AbortController();
    const { signal: aborted } = this.running;
    try {
      await work(aborted);
      this.failure.value = null;
    } catch (error) {
      if (isAbort(error) || aborted.aborted) return;
      if (!(error instanceof Failure)) throw error;
      this.failure.value = error;
    }
    if (!aborted.aborted) this.loading.value = false;
  }
}
