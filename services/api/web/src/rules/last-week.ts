/** How a series would have broken limits, from what its hours came to. Pure. */
import type { AggregateSeries } from "../api/types";
import type { Span } from "../chart/span";

const HOUR_MS = 3_600_000;
const BESIDE_MS = 2 * HOUR_MS;

export interface Broken {
  device: string;
  metric: string;
  unit: string;
  /** Stretches of hours with values outside. */
  times: number;
  /** Milliseconds outside, as though what was heard in an hour held for all of it that was asked for. */
  outside: number;
  /** The value furthest outside. */
  furthest: number;
  /** Around the stretch with the value furthest outside. */
  span: Span;
}

/** Null where everything stayed inside. `asked` cuts the first and the last hour short. */
export function brokenBy({ device, metric, unit, buckets }: AggregateSeries, asked: Span, low: number | null, high: number | null): Broken | null {
  let [times, outside, furthest, worst, at, last] = [0, 0, 0, 0, 0, Number.NEGATIVE_INFINITY];
  for (const bucket of buckets) {
    if (bucket.inside === null || bucket.inside === 1) continue;
    const start = Date.parse(bucket.start);
    if (start - last > HOUR_MS) times += 1;
    last = start;
    outside += (1 - bucket.inside) * (Math.min(start + HOUR_MS, asked.to) - Math.max(start, asked.from));
    const [over, under] = [high === null ? 0 : bucket.max - high, low === null ? 0 : low - bucket.min];
    if (Math.max(over, under) > worst) [worst, furthest, at] = [Math.max(over, under), over >= under ? bucket.max : bucket.min, start];
  }
  return times === 0 ? null : { device, metric, unit, times, outside, furthest, span: { from: at - BESIDE_MS, to: at + HOUR_MS + BESIDE_MS } };
}
