/** Values, times, ages and limits as people of the chosen language write them. */
import type { Side } from "../api/types";
import { known, language, locale, t } from "./language";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** SenML units (RFC 8428, section 12.1) as they are written for people; others are written as they are. */
const UNITS: Record<string, string> = { Cel: "°C", "%RH": "%", "%EL": "%", "/": "", "m/s2": "m/s²", Ohm: "Ω", m3: "m³" };

const formats = new Map<string, unknown>();

/** Making a format costs a thousand times as much as using it. */
function kept<Format>(name: string, make: (locale: string) => Format): Format {
  const key = `${language.value} ${name}`;
  let found = formats.get(key) as Format | undefined;
  if (found === undefined) {
    found = make(locale());
    formats.set(key, found);
  }
  return found;
}

export function unitText(unit: string): string {
  return UNITS[unit] ?? unit;
}

export function metricName(metric: string): string {
  return known(`metric.${metric}`, words(metric));
}

/** An identifier as people would write it. */
function words(identifier: string): string {
  const parted = identifier.replace(/[_.:-]+/g, " ").trim();
  return parted.charAt(0).toUpperCase() + parted.slice(1);
}

export function number(value: number, digits = digitsOf(value)): string {
  return kept(`number ${digits}`, (at) => {
    return new Intl.NumberFormat(at, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }).format(value);
}

/** As many decimals as a glance takes in: a temperature keeps one, a pressure of 1013.25 hPa too, a count none. */
function digitsOf(value: number): number {
  if (Number.isInteger(value)) return 0;
  return Math.abs(value) < 1 ? 2 : 1;
}

export function quantity(value: number, unit: string, digits?: number): string {
  const text = unitText(unit);
  // Of switches (SenML's unit "/" with 0 or 1) the number says it all; others keep a steady width.
  const shown = number(value, digits ?? (unit === "Cel" || unit === "%RH" ? 1 : digitsOf(value)));
  return text ? `${shown}\u202f${text}` : shown;
}

/** A value of a metric; of switches that people know, what it means. */
export function valueOf(metric: string, value: number, unit: string): string {
  return unit === "/" ? known(`value.${metric}.${value}`, quantity(value, unit)) : quantity(value, unit);
}

/** A threshold as it was written in the rule: 8, not 8.0. */
export function threshold(value: number, unit: string): string {
  const text = unitText(unit);
  const shown = kept("threshold", (at) => new Intl.NumberFormat(at, { maximumFractionDigits: 3 })).format(value);
  return text ? `${shown}\u202f${text}` : shown;
}

export function limit(side: Side, value: number, unit: string): string {
  return t(`side.${side}`, { value: measure(side, value, unit) });
}

/** A value in the terms of a threshold: minutes of silence, degrees per minute, or simply the unit. */
export function measure(side: Side, value: number, unit: string): string {
  if (side === "silent" || side === "stuck") return duration(value * MINUTE);
  if (side === "rising" || side === "falling") return t("side.per-minute", { value: threshold(value, unit) });
  return threshold(value, side === "kinetic" ? "Cel" : unit);
}

export function percent(probability: number): string {
  // A forecast is never sure, and a person should not read that it is.
  const format = kept("percent", (at) => new Intl.NumberFormat(at, { style: "percent", maximumFractionDigits: 0 }));
  if (probability < 0.01) return `<\u202f${format.format(0.01)}`;
  return probability > 0.99 ? `>\u202f${format.format(0.99)}` : format.format(probability);
}

/** A share of something, such as of a load. */
export function share(part: number): string {
  return kept("share", (at) => new Intl.NumberFormat(at, { style: "percent", maximumFractionDigits: 0 })).format(part);
}

/** A share of which the last percent matters, such as of the time within limits; it is never rounded up to all. */
export function percent2(part: number): string {
  const down = Math.floor(part * 10_000) / 10_000;
  return kept("percent2", (at) => new Intl.NumberFormat(at, { style: "percent", maximumFractionDigits: 2 })).format(down);
}

/** A time of day, with the date where it is not today. */
export function time(millis: number, today: number): string {
  const sameDay = new Date(millis).toDateString() === new Date(today).toDateString();
  return sameDay ? clock(millis) : dateTime(millis);
}

export function clock(millis: number): string {
  return kept("clock", (at) => new Intl.DateTimeFormat(at, { hour: "2-digit", minute: "2-digit" })).format(millis);
}

export function dateTime(millis: number): string {
  return kept("dateTime", (at) => {
    return new Intl.DateTimeFormat(at, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  }).format(millis);
}

export function day(millis: number): string {
  return kept("day", (at) => new Intl.DateTimeFormat(at, { day: "numeric", month: "short" })).format(millis);
}

/** A date in any year. */
export function date(millis: number): string {
  return kept("date", (at) => new Intl.DateTimeFormat(at, { dateStyle: "medium" })).format(millis);
}

export function fullTime(millis: number): string {
  return kept("fullTime", (at) => new Intl.DateTimeFormat(at, { dateStyle: "medium", timeStyle: "medium" })).format(
    millis,
  );
}

/** "3 minutes ago", "in 12 minutes". */
export function relative(millis: number, now: number): string {
  const [value, unit] = inUnits(millis - now);
  return kept("relative", (at) => new Intl.RelativeTimeFormat(at, { numeric: "always" })).format(value, unit);
}

/** How old something is, short enough for a table: "5s ago", "3 min ago". */
export function age(millis: number, now: number): string {
  const [value, unit] = inUnits(Math.min(0, millis - now));
  if (unit === "second" && value > -2) return t("time.just-now");
  return kept("age", (at) => new Intl.RelativeTimeFormat(at, { numeric: "always", style: "narrow" })).format(value, unit);
}

/** What people call a label, such as the site. */
export function labelName(label: string): string {
  return known(`label.${label}`, words(label));
}

export function duration(millis: number): string {
  const [value, unit] = inUnits(Math.max(0, millis));
  return span(value, unit);
}

type Unit = "second" | "minute" | "hour" | "day";

function span(value: number, unit: Unit): string {
  return kept(`span ${unit}`, (at) => new Intl.NumberFormat(at, { style: "unit", unit, unitDisplay: "short" })).format(
    value,
  );
}

function inUnits(millis: number): [number, Unit] {
  const size = Math.abs(millis);
  if (size < MINUTE) return [Math.trunc(millis / 1000), "second"];
  if (size < HOUR) return [Math.trunc(millis / MINUTE), "minute"];
  if (size < 2 * DAY) return [Math.trunc(millis / HOUR), "hour"];
  return [Math.trunc(millis / DAY), "day"];
}
