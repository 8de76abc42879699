/** What of the pipeline needs a look. Pure. */
import type { PipelineStatus } from "../api/types";

export type Trouble =
  | { kind: "dead-letters"; queue: string; count: number }
  | { kind: "slow-queue"; queue: string; seconds: number }
  | { kind: "no-readings" }
  | { kind: "silent"; count: number }
  | { kind: "stale-forecasts"; count: number }
  | { kind: "quarantine"; count: number };

/** A service that keeps up empties its queue within seconds; after five minutes it does not keep up. */
const SLOW_SECONDS = 300;
const STALE_SECONDS = 600;

/** Worst first. */
export function troubles(status: PipelineStatus): Trouble[] {
  const found: Trouble[] = [];
  const { readings, forecasts } = status;
  if (readings.devices > 0 && (readings.newest_seconds === null || readings.newest_seconds > STALE_SECONDS)) {
    found.push({ kind: "no-readings" });
  }
  for (const { queue, dead_letters: count } of status.queues) if (count > 0) found.push({ kind: "dead-letters", queue, count });
  for (const { queue, oldest_seconds: seconds } of status.queues) {
    if (seconds !== null && seconds > SLOW_SECONDS) found.push({ kind: "slow-queue", queue, seconds });
  }
  if (forecasts.fresh < forecasts.series) found.push({ kind: "stale-forecasts", count: forecasts.series - forecasts.fresh });
  if (readings.reporting < readings.devices) found.push({ kind: "silent", count: readings.devices - readings.reporting });
  if (status.quarantined > 0) found.push({ kind: "quarantine", count: status.quarantined });
  return found;
}
