/** Puts the buckets of a series together to one line. Pure. */
import type { AggregateSeries } from "../api/types";

export interface Summary {
  device: string;
  unit: string;
  count: number;
  min: number;
  mean: number;
  max: number;
  /** Share of the time within the limits, 0 to 1; null without limits. */
  inside: number | null;
  /** Mean kinetic temperature in the unit of the series; null where these are no temperatures. */
  mkt: number | null;
}

/** Activation energy over the gas constant in kelvin, as the service computes with: 83.144 kJ/mol. */
const ENERGY_K = 83_144 / 8.314_462_618;
const ZERO_C = 273.15;

export function summarize({ device, unit, buckets }: AggregateSeries): Summary | null {
  if (buckets.length === 0) return null;
  const count = sum(buckets.map((bucket) => bucket.count));
  // Buckets count by their readings, which for a device that sends regularly is their time.
  const weighted = (values: (number | null)[]): number | null =>
    values.includes(null) ? null : sum(values.map((value, at) => (value ?? 0) * (buckets[at]?.count ?? 0))) / count;
  return {
    device,
    unit,
    count,
    min: Math.min(...buckets.map(({ min }) => min)),
    mean: weighted(buckets.map(({ mean }) => mean)) ?? 0,
    max: Math.max(...buckets.map(({ max }) => max)),
    inside: weighted(buckets.map(({ inside }) => inside)),
    mkt: kinetic(weighted(buckets.map(({ mkt }) => rate(mkt, unit))), unit),
  };
}

/** The mean kinetic temperature is the mean of what decay rates come to (Haynes 1971, USP <1079.2>). */
function rate(mkt: number | null, unit: string): number | null {
  const kelvin = mkt === null ? null : unit === "Cel" ? mkt + ZERO_C : unit === "K" ? mkt : null;
  return kelvin === null ? null : Math.exp(-ENERGY_K / kelvin);
}

function kinetic(mean: number | null, unit: string): number | null {
  if (mean === null || mean <= 0) return null;
  return -ENERGY_K / Math.log(mean) - (unit === "Cel" ? ZERO_C : 0);
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The least compliant first, then the furthest from the mean of all. */
export function leastInsideFirst(one: Summary, other: Summary): number {
  return (one.inside ?? 1) - (other.inside ?? 1) || other.max - one.max;
}
