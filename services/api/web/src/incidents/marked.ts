/** Where an incident lies on a chart: expected until it was measured, then measured until it ended. */
import type { Incident } from "../api/types";
import type { Marked } from "../chart/model";

export function markedOf(incident: Incident, now: number): Marked[] {
  const { metric } = incident;
  const from = Date.parse(incident.opened_at);
  const to = incident.resolved_at ? Date.parse(incident.resolved_at) : now;
  if (incident.basis === "predicted") return [{ from, to, kind: "predicted", metric }];
  const observed = incident.observed_at ? Date.parse(incident.observed_at) : from;
  const measured: Marked = { from: observed, to, kind: "observed", metric };
  return observed > from ? [{ from, to: observed, kind: "predicted", metric }, measured] : [measured];
}
