/** What a chart shows: panels below each other that share the time. */
import type { Forecast } from "../api/types";
import type { Span } from "./span";

/** Time in milliseconds since 1970 UTC, and value; null breaks the line. */
export type Point = [number, number | null];

/** Time in milliseconds since 1970 UTC, least and greatest value. */
export type Envelope = readonly [number, number, number];

export interface Panel {
  metric: string;
  unit: string;
  points: Point[];
  /** Time, least and greatest value around each point, where points are means of many readings. */
  envelope: readonly Envelope[] | null;
  forecast: Forecast | null;
  limits: readonly number[];
}

/** A stretch of time to be marked. */
export interface Marked {
  from: number;
  to: number;
  kind: "predicted" | "observed";
  metric: string;
}

export interface ChartModel extends Span {
  panels: Panel[];
  marked: Marked[];
  /** A line across all panels; null for none. */
  line: { at: number; label: string } | null;
}

export interface ForecastPoint {
  at: number;
  low: number;
  median: number;
  high: number;
}

/** The points of a forecast, from the reading it starts at. */
export function forecastPoints(forecast: Forecast): ForecastPoint[] {
  const { last_value: last } = forecast;
  const first = { at: Date.parse(forecast.known_at), low: last, median: last, high: last };
  const start = Date.parse(forecast.start);
  const rest = forecast.q50.map((median, index) => ({
    at: start + index * forecast.step_seconds * 1000,
    low: forecast.q10[index] ?? median,
    median,
    high: forecast.q90[index] ?? median,
  }));
  return [first, ...rest];
}

/** Values of a switch: the line goes in steps. */
export function isSwitch(panel: Panel): boolean {
  return panel.unit === "/" && panel.points.every(([, value]) => value === null || value === 0 || value === 1);
}

/** Quantiles say nothing of a switch. */
export function shownForecast(panel: Panel): Forecast | null {
  return isSwitch(panel) ? null : panel.forecast;
}

/** A gap far longer than the usual distance between points is shown as one, not as a straight line. */
export function withGaps<At extends Point | Envelope>(points: readonly At[], gap: (at: number) => At): readonly At[] {
  if (points.length < 3) return points;
  const distances: number[] = [];
  for (let at = 1; at < points.length; at += Math.ceil(points.length / 500)) {
    distances.push((points[at]?.[0] ?? 0) - (points[at - 1]?.[0] ?? 0));
  }
  distances.sort((one, other) => one - other);
  const usual = distances[distances.length >> 1] ?? 0;
  const longest = Math.max(5 * usual, 120_000);
  const shown: At[] = [];
  let before: At | undefined;
  for (const point of points) {
    if (before && point[0] - before[0] > longest) shown.push(gap(before[0] + 1));
    shown.push(point);
    before = point;
  }
  return shown;
}
