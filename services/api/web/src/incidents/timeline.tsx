/** Everything that happened to an incident, newest first. */
import type { Incident, IncidentEntry } from "../api/types";
import { now } from "../clock";
import { percent, time, valueOf } from "../i18n/format";
import { t } from "../i18n/language";
import type { Loaded } from "../ui/load";
import { Failed, Loading } from "../ui/states";

interface Props {
  incident: Incident;
  history: Loaded<IncidentEntry[]>;
}

export function Timeline({ incident, history }: Props) {
  const entries = history.value.value;
  return (
    <section class="card timeline-card" aria-labelledby="timeline">
      <h2 id="timeline">{t("incident.timeline")}</h2>
      {entries ? (
        <ol class="plain timeline">
          {entries.toReversed().map((entry) => (
            <li key={entry.entry_id} class={`entry entry-${entry.transition}`}>
              <time dateTime={entry.at}>{time(Date.parse(entry.at), now.value)}</time>
              <span class="entry-what">{what(entry)}</span>
              <span class="entry-facts">{facts(incident, entry)}</span>
              {entry.note ? <blockquote>{entry.note}</blockquote> : null}
            </li>
          ))}
        </ol>
      ) : history.failure.value ? (
        <Failed failure={history.failure.value} retry={history.reload} />
      ) : (
        <Loading rows={3} />
      )}
    </section>
  );
}

function what(entry: IncidentEntry): string {
  const by = entry.by ?? "";
  if (entry.transition === "opened") return t(`entry.opened-${entry.basis}`);
  return t(`entry.${entry.transition}`, { by });
}

function facts(incident: Incident, entry: IncidentEntry): string | null {
  if (entry.transition === "commented" || entry.transition === "acknowledged") return null;
  const value = valueOf(incident.metric, entry.value, incident.unit);
  return entry.probability === null || entry.basis === "observed"
    ? value
    : `${value} · ${t("incident.likely", { probability: percent(entry.probability) })}`;
}
