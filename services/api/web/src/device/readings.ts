/** Readings of one series: loaded for a range, then joined by live ones. */
import { path, request } from "../api/client";
import type { LivePoint, ReadingsPage } from "../api/types";
import type { Envelope, Point } from "../chart/model";
import type { Span } from "../chart/span";

const PAGE = 10_000;
const RAW_UP_TO_MS = 6 * 3_600_000;
const STEPS_MS = [60, 300, 900, 3600, 6 * 3600, 86_400].map((seconds) => seconds * 1000);
const MOST_POINTS = 720;

/** Readings of one metric from `from` to `to`. */
export interface Series extends Span {
  /** Milliseconds that each point is the mean of; 0 where each is a reading. */
  step: number;
  points: Point[];
  envelope: Envelope[] | null;
  /** Whether it reaches to the present and live readings go on where it ends. */
  open: boolean;
}

/** How finely a screen shows a stretch of time. */
export function stepFor({ from, to }: Span): number {
  if (to - from <= RAW_UP_TO_MS) return 0;
  return STEPS_MS.find((step) => (to - from) / step <= MOST_POINTS) ?? 86_400_000;
}

export async function loadSeries(
  device: string,
  metric: string,
  span: Span,
  step: number,
  signal: AbortSignal,
): Promise<Omit<Series, "open">> {
  const points = await loadReadings(device, metric, span.from, span.to, signal);
  if (step === 0) return { ...span, step, points, envelope: null };
  return { ...span, step, ...inSteps(points, step) };
}

function inSteps(points: Point[], step: number): { points: Point[]; envelope: Envelope[] } {
  const means: Point[] = [];
  const envelope: Envelope[] = [];
  let [sum, count, low, high, bucket] = [0, 0, Infinity, -Infinity, Number.NaN];
  const close = (): void => {
    if (count === 0) return;
    means.push([bucket * step + step / 2, sum / count]);
    envelope.push([bucket * step + step / 2, low, high]);
  };
  for (const [at, value] of points) {
    if (value === null) continue;
    const of = Math.floor(at / step);
    if (of !== bucket) {
      close();
      [sum, count, low, high, bucket] = [0, 0, Infinity, -Infinity, of];
    }
    sum += value;
    count += 1;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  close();
  return { points: means, envelope };
}

/** The readings from `from` to `to` (milliseconds since 1970 UTC), ascending. */
export async function loadReadings(
  device: string,
  metric: string,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<Point[]> {
  const base = `/v1/devices/${encodeURIComponent(device)}/readings`;
  const range = { start: new Date(from).toISOString(), end: new Date(to).toISOString(), metric, limit: PAGE };
  const points: Point[] = [];
  let cursor: string | null = null;
  do {
    const page: ReadingsPage = await request<ReadingsPage>(path(base, { ...range, cursor }), { signal });
    for (const reading of page.readings) points.push([Date.parse(reading.ts), reading.value]);
    cursor = page.next_cursor;
  } while (cursor);
  return points;
}

/** Points with a live one, in order and one per time; the same array where nothing changed. */
export function joined(points: Point[], live: LivePoint): Point[] {
  const at = Date.parse(live.ts);
  const last = points.at(-1);
  if (!last || at > last[0]) return [...points, [at, live.value]];
  const index = points.findIndex(([time]) => time >= at);
  const same = points[index]?.[0] === at;
  if (same && points[index]?.[1] === live.value) return points;
  return [...points.slice(0, index), [at, live.value], ...points.slice(index + (same ? 1 : 0))];
}
