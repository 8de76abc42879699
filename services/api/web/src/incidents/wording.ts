/** What an incident is, how sure that is, and what comes next, in words. */
import type { Incident, Rule } from "../api/types";
import { called } from "../device/names";
import { limit, metricName, percent, quantity, time } from "../i18n/format";
import { t } from "../i18n/language";

export type Mood = "out" | "predicted" | "fine";

export function mood(incident: Incident): Mood {
  if (incident.state === "resolved") return "fine";
  return incident.basis === "observed" ? "out" : "predicted";
}

export function headline(incident: Incident): string {
  const before = incident.state === "resolved" ? "was-" : "";
  return t(`incident.${before}${incident.basis}` as "incident.observed", {
    device: called(incident.device),
    metric: metricName(incident.metric),
    limit: limit(incident.side, incident.threshold, incident.unit),
  });
}

/** Whether people were told of it and it is not over. */
export function isLive(incident: Incident): boolean {
  return incident.state === "open" || incident.state === "acknowledged";
}

export function stateText(incident: Incident): string {
  if (incident.withdrawn) return t("incident.withdrawn");
  return t(`incident.${incident.state}`);
}

export function sureness(incident: Incident, now: number): string {
  const probability = incident.probability === null ? null : percent(incident.probability);
  if (incident.basis === "predicted" && probability !== null) {
    const made = Date.parse(incident.forecast_known_at ?? incident.opened_at);
    return t("incident.sure-predicted", { probability, time: time(made, now) });
  }
  return probability === null ? t("incident.sure-observed") : t("incident.sure-came", { probability });
}

export function whatNext(incident: Incident, rule: Rule | null, now: number): string[] {
  const device = called(incident.device);
  if (incident.state === "resolved") {
    if (incident.withdrawn) return [t("incident.next-withdrawn")];
    if (incident.basis === "predicted") return [t("incident.next-false")];
    const ended = Date.parse(incident.resolved_at ?? incident.opened_at);
    return [t("incident.next-resolved", { time: time(ended, now) })];
  }
  if (incident.side === "silent" || incident.side === "stuck") return [t(`incident.next-${incident.side}`, { device })];
  if (incident.side !== "above" && incident.side !== "below") return [t("incident.next-observed", { device })];
  if (incident.basis === "observed") {
    const value = rule ? quantity(backAt(incident, rule), incident.unit) : null;
    return [value === null ? t("incident.next-observed", { device }) : t("incident.next-margin", { device, value })];
  }
  const said: string[] = [];
  const expected = incident.expected_at ? Date.parse(incident.expected_at) : null;
  if (expected !== null) {
    const when = { device, time: time(expected, now), limit: limit(incident.side, incident.threshold, incident.unit) };
    said.push(t(expected > now ? "incident.next-predicted" : "incident.next-predicted-late", when));
  }
  const ends = incident.expires_at ? Date.parse(incident.expires_at) : null;
  if (ends !== null && ends > now) said.push(t("incident.next-expires", { time: time(ends, now) }));
  return said;
}

/** Where a value must come back to before the incident closes. */
function backAt(incident: Incident, rule: Rule): number {
  const margin = "clear_margin" in rule.condition ? rule.condition.clear_margin : 0;
  return incident.side === "above" ? incident.threshold - margin : incident.threshold + margin;
}
