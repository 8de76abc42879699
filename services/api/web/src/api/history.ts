/** Asks for the past, which the service answers from lake and hot store at once. */
import { signal } from "@preact/signals";
import type { Point } from "../chart/model";
import type { Span } from "../chart/span";
import { pages, path, request } from "./client";
import type { Bucket, HistoryAggregates, HistoryPage } from "./types";

/** Whether the service has a lake, as far as is known. */
export const hasLake = signal(true);

export interface Asked extends Span {
  devices: readonly string[];
  metrics: readonly string[];
}

export interface Summed extends Asked {
  bucket: Bucket;
  low?: number | null;
  high?: number | null;
}

export function historyPath(what: "readings" | "aggregates" | "export", asked: Asked, more: Record<string, string | number | null | undefined> = {}): string {
  const base = path(`/v1/history/${what}`, { start: new Date(asked.from).toISOString(), end: new Date(asked.to).toISOString(), ...more });
  const names = new URLSearchParams();
  for (const device of asked.devices) names.append("device", device);
  for (const metric of asked.metrics) names.append("metric", metric);
  return `${base}&${names}`;
}

export async function loadAggregates({ bucket, low, high, ...asked }: Summed, signal: AbortSignal): Promise<HistoryAggregates> {
  return await request<HistoryAggregates>(historyPath("aggregates", asked, { bucket, low, high }), { signal });
}

/** Every reading of one series, ascending. */
export async function loadPast(device: string, metric: string, span: Span, signal: AbortSignal): Promise<Point[]> {
  const points: Point[] = [];
  const asked = historyPath("readings", { devices: [device], metrics: [metric], ...span }, { limit: 50_000 });
  for await (const page of pages<never, HistoryPage>(asked, {}, signal)) {
    for (const { readings } of page.series) for (const { ts, value } of readings) points.push([Date.parse(ts), value]);
  }
  return points;
}
