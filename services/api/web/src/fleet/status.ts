/** What state a device is in, and which of two is worse. Pure: takes the present. */
import type { FleetDevice } from "../api/types";

export type Status = "out" | "predicted" | "watch" | "silent" | "fine";

/** Worst first. */
export const STATUSES: readonly Status[] = ["out", "predicted", "watch", "silent", "fine"];

/** After this without any reading a device is called silent. */
export const SILENT_AFTER_MS = 10 * 60_000;
/** From this probability of leaving a limit a device is worth a look, though no rule warns yet. */
export const WATCH_FROM = 0.3;
/** A forecast says nothing about the next hour when it is older than this. */
const FORECAST_GOOD_MS = 3_600_000;

export function riskOf(device: FleetDevice, now: number): FleetDevice["risk"] {
  return device.risk && now - Date.parse(device.risk.known_at) < FORECAST_GOOD_MS ? device.risk : null;
}

export function statusOf(device: FleetDevice, now: number): Status {
  if (device.incident?.basis === "observed") return "out";
  if (device.incident) return "predicted";
  if (now - Date.parse(device.last_seen) > SILENT_AFTER_MS) return "silent";
  return (riskOf(device, now)?.probability ?? 0) >= WATCH_FROM ? "watch" : "fine";
}

export interface Ranked {
  name: string;
  status: Status;
  risk: number;
  /** Whether somebody sees to it. */
  seen: boolean;
}

export function rank(device: FleetDevice, now: number): Ranked {
  // Rounded, so that rows do not change places with every forecast.
  const risk = Math.round((riskOf(device, now)?.probability ?? 0) * 10);
  return { name: device.device, status: statusOf(device, now), risk, seen: device.incident?.state === "acknowledged" };
}

const collator = new Intl.Collator(undefined, { numeric: true });

export function worstFirst(one: Ranked, other: Ranked): number {
  return (
    STATUSES.indexOf(one.status) - STATUSES.indexOf(other.status) ||
    Number(one.seen) - Number(other.seen) ||
    other.risk - one.risk ||
    collator.compare(one.name, other.name)
  );
}
