/** One incident: what, where, since when, how sure, what next, and the forecast of then beside what came. */
import { useEffect } from "preact/hooks";
import { request } from "../api/client";
import type { Incident, Rule } from "../api/types";
import type { Point } from "../chart/model";
import { now } from "../clock";
import { called, loadNames } from "../device/names";
import { dateTime, duration, limit, measure, metricName, quantity, time } from "../i18n/format";
import { t } from "../i18n/language";
import { LiveStream } from "../live/stream";
import { Quiet } from "../people/quiet";
import { links } from "../router";
import { type Loaded, useLoad } from "../ui/load";
import { Failed, Loading } from "../ui/states";
import { useTitle } from "../ui/title";
import { budgets } from "./budget";
import { Comparison, loadAround, optional, spanAround } from "./comparison";
import { loadHistory } from "./life";
import { Respond } from "./respond";
import { Timeline } from "./timeline";
import { Told } from "./told";
import { headline, mood, stateText, sureness, whatNext } from "./wording";

export function IncidentView({ id }: { id: string }) {
  const incident = useLoad((signal) => request<Incident>(`/v1/incidents/${encodeURIComponent(id)}`, { signal }), [id]);
  useEffect(() => void loadNames(), []);
  const shown = incident.value.value;
  useTitle(shown ? headline(shown) : t("incidents.title"));
  if (!shown) {
    return incident.failure.value ? (
      <Failed failure={incident.failure.value} retry={incident.reload} />
    ) : (
      <Loading rows={6} />
    );
  }
  return <Shown loaded={incident} incident={shown} />;
}

function Shown({ loaded, incident }: { loaded: Loaded<Incident>; incident: Incident }) {
  const { device, metric, incident_id: id, rule_id: ruleId } = incident;
  const rule = useLoad((signal) => optional(request<Rule>(`/v1/rules/${encodeURIComponent(ruleId)}`, { signal })), [ruleId]);
  const around = useLoad((signal) => loadAround(incident, signal), [id, incident.state]);
  const history = useLoad((signal) => loadHistory(id, signal), [id]);
  useEffect(() => {
    const stream = new LiveStream(
      { device },
      {
        connected: (again) => {
          if (!again) return;
          loaded.reload();
          history.reload();
        },
        incident: (changed) => {
          if (changed.incident_id !== id) return;
          loaded.value.value = changed;
          history.reload();
        },
        readings: (event) => {
          const known = around.value.peek();
          if (incident.state === "resolved" || !known) return;
          const points = event.readings.filter((point) => point.metric === metric);
          const last = known.points.at(-1)?.[0] ?? 0;
          const added = points.map((point): Point => [Date.parse(point.ts), point.value]).filter(([at]) => at > last);
          if (added.length > 0) around.value.value = { ...known, points: [...known.points, ...added] };
        },
      },
    );
    return () => stream.stop();
  }, [device, id, incident.state]);
  const opened = Date.parse(incident.opened_at);
  const ended = incident.resolved_at ? Date.parse(incident.resolved_at) : null;
  const when =
    ended === null
      ? t("incident.since", { time: time(opened, now.value), duration: duration(now.value - opened) })
      : `${dateTime(opened)} · ${t("incident.lasted", { duration: duration(ended - opened) })}`;
  return (
    <>
      <header class={`headline headline-${mood(incident)}`}>
        <p class="crumb">
          <a href={links.incidents}>{t("incidents.back")}</a>
        </p>
        <h1>{headline(incident)}</h1>
        <p>
          {stateText(incident)} · {when}
        </p>
        {incident.late ? <p>{t("incident.late")}</p> : null}
      </header>
      <div class="columns columns-act">
        <div class="aside">
          <Comparison incident={incident} around={around} />
          <Timeline incident={incident} history={history} />
          <Told incident={incident} />
        </div>
        <div class="aside">
          <section class="card" aria-labelledby="next">
            <h2 id="next">{t("incident.next")}</h2>
            {whatNext(incident, rule.value.value, now.value).map((line) => (
              <p key={line}>{line}</p>
            ))}
            <p>
              <a class="button" href={links.device(device, ended === null ? undefined : spanAround(incident))}>
                {t("incident.to-device", { device: called(device) })}
              </a>
            </p>
          </section>
          <Respond
            incident={incident}
            changed={(changed) => {
              loaded.value.value = changed;
            }}
            added={history.reload}
          >
            <Quiet incident={incident} />
          </Respond>
          <Facts incident={incident} />
        </div>
      </div>
    </>
  );
}

function Facts({ incident }: { incident: Incident }) {
  const { unit } = incident;
  const facts: [string, string | null][] = [
    [t("incident.sure"), sureness(incident, now.value)],
    [t("incident.value"), quantity(incident.value, unit)],
    [t("incident.worst"), incident.worst === null ? null : measure(incident.side, incident.worst, unit)],
    [t("incident.expected"), incident.expected_at ? time(Date.parse(incident.expected_at), now.value) : null],
    [t("incident.rule"), `${incident.rule_name}: ${metricName(incident.metric)} ${limit(incident.side, incident.threshold, unit)}`],
    [t("incident.severity"), t(`severity.${incident.severity}`)],
    ...(incident.excursion ? budgets(incident.excursion) : []).map((said): [string, string] => [
      t("incident.excursion", { product: incident.excursion?.product ?? "" }),
      said,
    ]),
  ];
  return (
    <section class="card">
      <dl class="facts">
        {facts.map(([name, value]) =>
          value === null ? null : (
            <div key={`${name} ${value}`}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
    </section>
  );
}
