/** Readings of one series: loaded for a range, then joined by live ones. */
import { Failure, path, request } from "../api/client";
import { hasLake, loadAggregates, loadPast } from "../api/history";
import type { HistoryBucket, LivePoint, ReadingsPage } from "../api/types";
import type { Envelope, Point } from "../chart/model";
import type { Span } from "../chart/span";
import { present } from "../clock";

const PAGE = 10_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Up to this each reading is shown; beyond, what minutes, hours or days come to. */
const RAW_UP_TO = 8 * HOUR;
/** What is older than this is asked of the lake: the hot store keeps a week. */
const HOT = 6 * DAY;
const STEPS = [1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE).concat([1, 2, 3, 6, 12, 24].map((hours) => hours * HOUR));
const MOST_POINTS = 800;

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
  if (to - from <= RAW_UP_TO) return 0;
  const step = STEPS.find((each) => (to - from) / each <= MOST_POINTS) ?? DAY;
  return to - from > 3 * DAY ? Math.max(step, HOUR) : step;
}

/** A series as finely as `step` says: from the hot store, from the lake, or from both, as the service sees fit. */
export async function loadSeries(
  device: string,
  metric: string,
  span: Span,
  step: number,
  signal: AbortSignal,
): Promise<Omit<Series, "open">> {
  if (step === 0) {
    return { ...span, step, points: await loadRecentOrPast(device, metric, span, signal), envelope: null };
  }
  if (hasLake.peek()) {
    try {
      const bucket = step >= DAY ? "day" : step >= HOUR ? "hour" : "minute";
      const { series } = await loadAggregates({ devices: [device], metrics: [metric], ...span, bucket }, signal);
      return { ...span, step, ...inSteps(series.flatMap(({ buckets }) => buckets.map(partOf)), step) };
    } catch (error) {
      if (!(error instanceof Failure && error.problem?.status === 503)) throw error;
      hasLake.value = false;
    }
  }
  const from = Math.max(span.from, present() - HOT - DAY + MINUTE);
  const points = from < span.to ? await loadReadings(device, metric, from, span.to, signal) : [];
  return { ...span, step, ...inSteps(points.flatMap(([at, value]) => (value === null ? [] : { at, count: 1, mean: value, low: value, high: value })), step) };
}

/** Every reading, from wherever it is kept. */
export async function loadRecentOrPast(device: string, metric: string, span: Span, signal: AbortSignal): Promise<Point[]> {
  if (span.from > present() - HOT || !hasLake.peek()) return await loadReadings(device, metric, span.from, span.to, signal);
  return await loadPast(device, metric, span, signal);
}

/** What some readings come to. */
export interface Part {
  at: number;
  count: number;
  mean: number;
  low: number;
  high: number;
}

export function partOf(bucket: HistoryBucket): Part {
  return { at: Date.parse(bucket.start), count: bucket.count, mean: bucket.mean, low: bucket.min, high: bucket.max };
}

/** Means with least and greatest values around them, one for each step that has any; each in the middle of its step. */
export function inSteps(parts: Iterable<Part>, step: number): { points: Point[]; envelope: Envelope[] } {
  const steps = new Map<number, Part>();
  for (const part of parts) {
    const at = Math.floor(part.at / step) * step + step / 2;
    const known = steps.get(at);
    if (!known) {
      steps.set(at, { ...part, at });
      continue;
    }
    known.mean += ((part.mean - known.mean) * part.count) / (known.count + part.count);
    known.count += part.count;
    known.low = Math.min(known.low, part.low);
    known.high = Math.max(known.high, part.high);
  }
  const ordered = [...steps.values()].sort((one, other) => one.at - other.at);
  return { points: ordered.map(({ at, mean }) => [at, mean]), envelope: ordered.map(({ at, low, high }) => [at, low, high]) };
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

/** Points with live ones, in order and one per time; the same array where nothing changed. */
export function joined(points: Point[], live: readonly LivePoint[]): Point[] {
  const arrived = live.map(({ ts, value }): Point => [Date.parse(ts), value]);
  const last = points.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY;
  // Nearly always they are newer than all others, each than the one before.
  if (arrived.every(([at], index) => at > (arrived[index - 1]?.[0] ?? last))) return arrived.length > 0 ? points.concat(arrived) : points;
  return live.reduce(withOne, points);
}

function withOne(points: Point[], live: LivePoint): Point[] {
  const at = Date.parse(live.ts);
  const last = points.at(-1);
  if (!last || at > last[0]) return [...points, [at, live.value]];
  const index = points.findIndex(([time]) => time >= at);
  const same = points[index]?.[0] === at;
  if (same && points[index]?.[1] === live.value) return points;
  return [...points.slice(0, index), [at, live.value], ...points.slice(index + (same ? 1 : 0))];
}
