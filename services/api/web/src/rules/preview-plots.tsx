/** The alerts of a trial: each device's course with its alerts marked, and the alerts one by one. */
import type { HistorySeries, Incident, Outcome, RehearsalResult } from "../api/types";
import { markedOf } from "../incidents/marked";
import type { Span } from "../chart/span";
import { dateTime, duration, limit, metricName } from "../i18n/format";
import { t } from "../i18n/language";
import { links } from "../router";

const WIDTH = 600;
const HEIGHT = 56;
const PAD = 4;
/** Plots, and alerts, that are worth the room. */
const PLOTS = 4;
const SHOWN = 8;
const BESIDE_MS = 2 * 3_600_000;

export function PreviewPlots({ result, span }: { result: RehearsalResult; span: Span }) {
  const of = (series: HistorySeries): Incident[] => result.incidents.filter(({ device, metric }) => device === series.device && metric === series.metric);
  const drawn = result.series.filter((series) => of(series).length > 0 && series.readings.length > 1).slice(0, PLOTS);
  const listed = result.incidents.slice(-SHOWN).toReversed();
  return (
    <>
      {drawn.map((series) => (
        <Plot key={`${series.device} ${series.metric}`} series={series} incidents={of(series)} span={span} />
      ))}
      <ul class="plain notices">
        {listed.map((incident) => (
          <li key={incident.incident_id}>
            <a href={links.device(incident.device, around(incident, span))}>{incident.device}</a>{" "}
            {`${limit(incident.side, incident.threshold, incident.unit)}, ${when(incident)} – `}
            <span class={`outcome outcome-${outcomeOf(result, incident)}`}>{t(`preview.${outcomeOf(result, incident)}`)}</span>
          </li>
        ))}
        {result.alerts > listed.length ? <li>{t("fleet.and-more", { count: result.alerts - listed.length })}</li> : null}
      </ul>
    </>
  );
}

function Plot({ series, incidents, span }: { series: HistorySeries; incidents: Incident[]; span: Span }) {
  const values = series.readings.map(({ value }) => value);
  const limits = incidents.filter(({ side }) => side === "above" || side === "below").map(({ threshold }) => threshold);
  const [low, high] = [Math.min(...values, ...limits), Math.max(...values, ...limits)];
  const x = (at: number): number => ((Math.min(Math.max(at, span.from), span.to) - span.from) / (span.to - span.from)) * WIDTH;
  const y = (value: number): number => HEIGHT - PAD - ((value - low) / (high - low || 1)) * (HEIGHT - 2 * PAD);
  const line = series.readings.map(({ ts, value }, at) => `${at === 0 ? "M" : "L"}${x(Date.parse(ts)).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  return (
    <figure class="preview-plot">
      <figcaption>
        {series.device} <span class="hint">{metricName(series.metric)}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={t("preview.plot", { device: series.device, metric: metricName(series.metric), alerts: incidents.length })}
      >
        {incidents
          .flatMap((incident) => markedOf(incident, span.to))
          .map(({ from, to, kind }) => (
            <rect key={`${from} ${kind}`} class={`plot-${kind}`} x={x(from)} y="0" width={Math.max(2, x(to) - x(from))} height={HEIGHT} />
          ))}
        {[...new Set(limits)].map((each) => (
          <line key={each} class="spark-limit" x1="0" x2={WIDTH} y1={y(each)} y2={y(each)} vector-effect="non-scaling-stroke" />
        ))}
        <path class="plot-line" d={line} vector-effect="non-scaling-stroke" />
      </svg>
    </figure>
  );
}

function outcomeOf(result: RehearsalResult, incident: Incident): Outcome {
  return result.outcomes[result.incidents.indexOf(incident)] ?? "observed";
}

function when(incident: Incident): string {
  const from = Date.parse(incident.opened_at);
  if (incident.resolved_at === null) return t("preview.incident-open", { time: dateTime(from) });
  return t("preview.incident", { time: dateTime(from), duration: duration(Date.parse(incident.resolved_at) - from) });
}

/** The incident with some of what was before and after it. */
function around(incident: Incident, span: Span): Span {
  const to = incident.resolved_at === null ? span.to : Date.parse(incident.resolved_at);
  return { from: Date.parse(incident.opened_at) - BESIDE_MS, to: to + BESIDE_MS };
}
