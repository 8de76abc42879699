/** One incident: what, where, since when, how sure, what next, and the forecast of then beside what came. */
import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Failure, path, request } from "../api/client";
import type { Forecast, Incident, Rule } from "../api/types";
import { ChartView } from "../chart/chart-view";
import { Legend } from "../chart/legend";
import type { ChartModel, Point } from "../chart/model";
import type { Span } from "../chart/span";
import { ChartTable } from "../chart/table";
import { now, present } from "../clock";
import { loadReadings } from "../device/readings";
import { dateTime, duration, limit, metricName, quantity, time } from "../i18n/format";
import { t } from "../i18n/language";
import { LiveStream } from "../live/stream";
import { links } from "../router";
import { type Loaded, useLoad } from "../ui/load";
import { Failed, Loading } from "../ui/states";
import { useTitle } from "../ui/title";
import { markedOf } from "./marked";
import { headline, mood, sureness, whatNext } from "./wording";

const BEFORE_MS = 2 * 3_600_000;
const AFTER_MS = 75 * 60_000;
const LONGEST_MS = 12 * 3_600_000;

interface Around {
  points: Point[];
  forecast: Forecast | null;
  from: number;
  to: number;
}

export function IncidentView({ id }: { id: string }) {
  const incident = useLoad((signal) => request<Incident>(`/v1/incidents/${encodeURIComponent(id)}`, { signal }), [id]);
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
  useEffect(() => {
    const stream = new LiveStream(
      { device },
      {
        connected: (again) => again && loaded.reload(),
        incident: (changed) => {
          if (changed.incident_id === id) loaded.value.value = changed;
        },
        readings: (event) => {
          const known = around.value.peek();
          if (incident.state !== "open" || !known) return;
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
          {t(incident.state === "open" ? "incident.open" : "incident.resolved")} · {when}
        </p>
      </header>
      <div class="columns">
        <Comparison incident={incident} around={around} />
        <div class="aside">
          <section class="card" aria-labelledby="next">
            <h2 id="next">{t("incident.next")}</h2>
            {whatNext(incident, rule.value.value, now.value).map((line) => (
              <p key={line}>{line}</p>
            ))}
            <p>
              <a class="button" href={links.device(device)}>
                {t("incident.to-device", { device })}
              </a>
            </p>
          </section>
          <Facts incident={incident} />
          <section class="card" aria-labelledby="told">
            <h2 id="told">
              {incident.notified_at
                ? t("incident.told", { time: time(Date.parse(incident.notified_at), now.value) })
                : t("incident.not-told")}
            </h2>
            {incident.message ? <blockquote>{incident.message}</blockquote> : null}
          </section>
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
    [t("incident.worst"), incident.worst === null ? null : quantity(incident.worst, unit)],
    [t("incident.expected"), incident.expected_at ? time(Date.parse(incident.expected_at), now.value) : null],
    [t("incident.rule"), `${incident.rule_name}: ${metricName(incident.metric)} ${limit(incident.side, incident.threshold, unit)}`],
    [t("incident.severity"), t(`severity.${incident.severity}`)],
  ];
  return (
    <section class="card">
      <dl class="facts">
        {facts.map(([name, value]) =>
          value === null ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
    </section>
  );
}

function Comparison({ incident, around }: { incident: Incident; around: Loaded<Around> }) {
  const moved = useSignal<Span | null>(null);
  const model = useComputed(() => {
    const shown = chartModel(incident, around.value.value);
    return shown && moved.value ? { ...shown, ...moved.value } : shown;
  });
  const title = t(incident.forecast_known_at ? "incident.then" : "incident.then-observed");
  const loaded = around.value.value;
  return (
    <section class="card chart-card" aria-labelledby="then">
      <h2 id="then">{title}</h2>
      {model.value ? (
        <>
          <ChartView
            model={model.value}
            label={`${title}: ${headline(incident)}`}
            move={(to) => (moved.value = to)}
            home={() => (moved.value = null)}
          />
          <Legend model={model.value} />
          <ChartTable model={model.value} />
          {incident.forecast_known_at && loaded?.forecast === null ? <p class="hint">{t("incident.then-none")}</p> : null}
        </>
      ) : around.failure.value ? (
        <Failed failure={around.failure.value} retry={around.reload} />
      ) : (
        <Loading />
      )}
    </section>
  );
}

function chartModel(incident: Incident, around: Around | null): ChartModel | null {
  if (!around) return null;
  const at = Math.floor(now.value / 10_000) * 10_000;
  const { metric, unit, threshold } = incident;
  const made = around.forecast ? Date.parse(around.forecast.known_at) : null;
  return {
    panels: [{ metric, unit, points: around.points, envelope: null, forecast: around.forecast, limits: [threshold] }],
    marked: markedOf(incident, Math.min(at, around.to)),
    from: around.from,
    to: around.to,
    line: made === null ? null : { at: made, label: t("chart.known") },
  };
}

async function loadAround(incident: Incident, signal: AbortSignal): Promise<Around> {
  const opened = Date.parse(incident.opened_at);
  const ended = incident.resolved_at ? Date.parse(incident.resolved_at) : present();
  const from = opened - BEFORE_MS;
  const to = Math.min(Math.max(opened, ended) + AFTER_MS, opened + LONGEST_MS);
  const forecast = await optional(knownThen(incident, signal));
  const points = await loadReadings(incident.device, incident.metric, from, Math.min(to, present() + 60_000), signal);
  return { points, forecast, from, to };
}

async function knownThen(incident: Incident, signal: AbortSignal): Promise<Forecast> {
  const known_at = incident.forecast_known_at ?? incident.opened_at;
  const base = `/v1/devices/${encodeURIComponent(incident.device)}/forecasts`;
  return await request<Forecast>(path(base, { metric: incident.metric, known_at }), { signal });
}

/** What may be gone, as the rule that was deleted since. */
async function optional<Value>(asked: Promise<Value>): Promise<Value | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Failure && error.kind === "missing") return null;
    throw error;
  }
}
