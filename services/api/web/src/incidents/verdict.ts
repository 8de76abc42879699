/** How a forecast did, judged by what came. Pure. */
import type { Forecast } from "../api/types";
import { forecastPoints, type Point } from "../chart/model";

export interface Verdict {
  /** Measured values that the forecast covers. */
  count: number;
  /** Share of them inside the band that 80% of outcomes were expected in. */
  inside: number;
  /** How far the median was off on average, in the unit of the series. */
  off: number;
}

/** Null where nothing has come yet that the forecast speaks of. */
export function judge(forecast: Forecast, points: readonly Point[]): Verdict | null {
  const said = forecastPoints(forecast);
  const [first, last] = [said[0], said.at(-1)];
  if (!first || !last) return null;
  let [count, inside, off, next] = [0, 0, 0, 1];
  for (const [at, value] of points) {
    if (value === null || at <= first.at || at > last.at) continue;
    while ((said[next]?.at ?? Infinity) < at) next += 1;
    const [before, after] = [said[next - 1], said[next]];
    if (!before || !after) break;
    const share = (at - before.at) / (after.at - before.at);
    const between = (one: number, other: number): number => one + (other - one) * share;
    count += 1;
    if (value >= between(before.low, after.low) && value <= between(before.high, after.high)) inside += 1;
    off += Math.abs(value - between(before.median, after.median));
  }
  return count === 0 ? null : { count, inside: inside / count, off: off / count };
}
