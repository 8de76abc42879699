/** Readings of one series: loaded for a range, then joined by live ones. */
import { path, request } from "../api/client";
import type { LivePoint, ReadingsPage } from "../api/types";
import type { Point } from "../chart/model";

const PAGE = 10_000;

/** The readings from `from` to `to` (milliseconds since 1970 UTC), ascending; `progress` hears the share that is here. */
export async function loadReadings(
  device: string,
  metric: string,
  from: number,
  to: number,
  signal: AbortSignal,
  progress: (share: number) => void = () => undefined,
): Promise<Point[]> {
  const base = `/v1/devices/${encodeURIComponent(device)}/readings`;
  const range = { start: new Date(from).toISOString(), end: new Date(to).toISOString(), metric, limit: PAGE };
  const points: Point[] = [];
  let cursor: string | null = null;
  do {
    const page: ReadingsPage = await request<ReadingsPage>(path(base, { ...range, cursor }), { signal });
    for (const reading of page.readings) points.push([Date.parse(reading.ts), reading.value]);
    const reached = points.at(-1)?.[0] ?? from;
    progress((reached - from) / (to - from));
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
