/** One incident in a list. */
import type { Incident } from "../api/types";
import { now } from "../clock";
import { duration, percent, quantity, time } from "../i18n/format";
import { t } from "../i18n/language";
import { links } from "../router";
import { headline, mood } from "./wording";

export function IncidentRow({ incident }: { incident: Incident }) {
  const opened = Date.parse(incident.opened_at);
  const ended = incident.resolved_at ? Date.parse(incident.resolved_at) : null;
  const facts = [
    time(opened, now.value),
    ended === null ? null : t("incident.lasted", { duration: duration(ended - opened) }),
    incident.basis === "predicted" && incident.probability !== null ? percent(incident.probability) : null,
    incident.worst === null ? quantity(incident.value, incident.unit) : quantity(incident.worst, incident.unit),
    incident.rule_name,
  ].filter((fact) => fact !== null);
  return (
    <li>
      <a class={`incident incident-${mood(incident)}`} href={links.incident(incident.incident_id)}>
        <span class="incident-title">{headline(incident)}</span>
        <span class="incident-state">{t(incident.state === "open" ? "incident.open" : "incident.resolved")}</span>
        <span class="incident-facts">{facts.join(" · ")}</span>
      </a>
    </li>
  );
}
