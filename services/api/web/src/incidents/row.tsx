/** One incident in a list. */
import type { Incident } from "../api/types";
import { now } from "../clock";
import { duration, measure, percent, quantity, time } from "../i18n/format";
import { t } from "../i18n/language";
import { links } from "../router";
import { headline, mood, stateText } from "./wording";

export function IncidentRow({ incident }: { incident: Incident }) {
  const opened = Date.parse(incident.opened_at);
  const ended = incident.resolved_at ? Date.parse(incident.resolved_at) : null;
  const facts = [
    ended === null
      ? t("incident.since", { time: time(opened, now.value), duration: duration(now.value - opened) })
      : time(opened, now.value),
    ended === null ? null : t("incident.lasted", { duration: duration(ended - opened) }),
    incident.basis === "predicted" && incident.probability !== null ? t("incident.likely", { probability: percent(incident.probability) })
      : null,
    incident.worst === null
      ? t("incident.now-value", { value: quantity(incident.value, incident.unit) })
      : t("incident.worst-value", { value: measure(incident.side, incident.worst, incident.unit) }),
    incident.rule_name,
    incident.acknowledged_by ? t("fleet.seen-to", { by: incident.acknowledged_by }) : null,
  ].filter((fact) => fact !== null);
  return (
    <li>
      <a class={`incident incident-${mood(incident)}`} href={links.incident(incident.incident_id)}>
        <span class="incident-title">{headline(incident)}</span>
        <span class="incident-state">{stateText(incident)}</span>
        <span class="incident-facts">{facts.join(" · ")}</span>
      </a>
    </li>
  );
}
