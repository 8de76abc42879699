/** One device: what it measures now, how it went, what the next hour will bring, and its incidents. */
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Failure } from "../api/client";
import { hand } from "../api/save";
import { ChartView } from "../chart/chart-view";
import { Legend } from "../chart/legend";
import type { ChartModel } from "../chart/model";
import { ChartTable } from "../chart/table";
import { moved, zoomed } from "../chart/span";
import { now, present } from "../clock";
import { dateTime, fullTime, labelName, metricName, relative, valueOf } from "../i18n/format";
import { t } from "../i18n/language";
import { IncidentRow } from "../incidents/row";
import { links, query, spanOf } from "../router";
import { mayEdit } from "../session";
import { Age } from "../ui/age";
import { Failed, failureText, Loading } from "../ui/states";
import { useTitle } from "../ui/title";
import { csv } from "./csv";
import { DeviceModel, type Range, RANGES } from "./device";
import { LabelForm } from "./label-form";
import { nameOf } from "./labels";
import { Outlook } from "./outlook";
import { loadRecentOrPast } from "./readings";

export function DeviceView({ device: name }: { device: string }) {
  const model = useMemo(() => new DeviceModel(name, spanOf(query.peek())), [name]);
  useEffect(() => () => model.stop(), [model]);
  const chart = useComputed(() => chartModel(model));
  const editing = useSignal(false);
  const opener = useRef<HTMLButtonElement>(null);
  const device = model.device.value;
  useTitle(device ? nameOf(device) : name);
  if (!device) {
    const failure = model.failure.value;
    return failure ? <Failed failure={failure} retry={() => void model.load()} /> : <Loading rows={6} />;
  }
  const metrics = model.metrics.value;
  const main = model.chosen.value[0] ?? "";
  const span = model.span.value;
  const { length, end } = model.shown.value;
  const live = end === null;
  const loading = model.readings.loading.value;
  const empty = !loading && chart.value.panels.every(({ points }) => !points.some(([at]) => at >= span.from && at <= span.to));
  const newest = Object.values(device.metrics).reduce((best, each) => (each.last_ts > best ? each.last_ts : best), "");
  return (
    <>
      <header class="page-head">
        <div>
          <p class="crumb">
            <a href={links.fleet}>{t("nav.fleet")}</a>
          </p>
          <h1>{nameOf(device)}</h1>
          <p class="hint">
            {[
              nameOf(device) === name ? "" : name,
              ...Object.entries(device.labels).map(([label, value]) => `${labelName(label)}: ${value}`),
              newest ? t("device.last-seen", { age: relative(Date.parse(newest), Math.max(now.value, Date.parse(newest))) }) : "",
            ]
              .filter((each) => each !== "")
              .join(" · ")}
          </p>
        </div>
        {mayEdit() && !editing.value ? (
          <button ref={opener} type="button" class="button button-small" onClick={() => (editing.value = true)}>
            {t("labels.edit")}
          </button>
        ) : null}
      </header>
      {editing.value ? (
        <LabelForm
          key={device.labels_version}
          device={device}
          close={(saved) => {
            editing.value = false;
            if (saved) void model.load();
            // Where the keyboard was before the form opened.
            requestAnimationFrame(() => opener.current?.focus());
          }}
        />
      ) : null}
      {model.failure.value ? <p class="banner banner-lost">{failureText(model.failure.value)}</p> : null}
      <div class="tiles" role="group" aria-label={t("device.metrics")}>
        {metrics.map((metric) => {
          const state = device.metrics[metric];
          return state ? (
            <button
              key={metric}
              type="button"
              class="tile"
              aria-pressed={model.chosen.value.includes(metric)}
              onClick={() => model.toggle(metric)}
            >
              <span class="tile-name">{metricName(metric)}</span>
              <span class="tile-value">{valueOf(metric, state.last_value, state.unit)}</span>
              <Age class="tile-age" of={state.last_ts} />
            </button>
          ) : null;
        })}
      </div>
      <div class="columns">
        <section class="card chart-card" aria-label={metricName(main)}>
          <div class="toolbar">
            <div class="chips" role="group" aria-label={t("device.range")}>
              {(Object.keys(RANGES) as Range[]).map((range) => (
                <button
                  key={range}
                  type="button"
                  class="chip"
                  aria-pressed={model.shown.value.end === null && model.shown.value.length === RANGES[range]}
                  onClick={() => model.choose(range)}
                >
                  {t(`device.range-${range}`)}
                </button>
              ))}
            </div>
            <Export model={model} />
          </div>
          <div class="toolbar steps">
            <StepButton label={t("chart.earlier")} path="M15 5l-7 7 7 7" act={() => model.moveTo(moved(span, -length / 2))} />
            <span class="steps-range">{`${dateTime(span.from)} – ${live ? t("chart.now") : dateTime(span.to)}`}</span>
            <StepButton label={t("chart.later")} path="M9 5l7 7-7 7" act={() => model.moveTo(moved(span, length / 2))} disabled={live} />
            {live ? null : (
              <button type="button" class="button button-small" onClick={() => (model.shown.value = { length, end: null })}>
                {t("chart.to-now")}
              </button>
            )}
            <span class="steps-zoom">
              <StepButton label={t("chart.zoom-out")} path="M5 12h14" act={() => model.moveTo(zoomed(span, 2, span.to))} />
              <StepButton label={t("chart.zoom-in")} path="M5 12h14M12 5v14" act={() => model.moveTo(zoomed(span, 1 / 2, span.to))} />
            </span>
          </div>
          <div class={`chart-frame ${loading ? "chart-loading" : ""}`}>
            <ChartView
              model={chart.value}
              move={(to) => model.moveTo(to)}
              home={() => model.choose("6h")}
              label={t("device.chart", {
                metrics: model.chosen.value.map(metricName).join(", "),
                device: name,
                from: dateTime(span.from),
                to: live ? t("chart.now") : dateTime(span.to),
              })}
            />
            {empty ? (
              <div class="chart-empty">
                <h2>{t("device.no-readings")}</h2>
                {newest ? <p>{t("device.no-readings-next", { time: fullTime(Date.parse(newest)) })}</p> : null}
              </div>
            ) : null}
          </div>
          <Legend model={chart.value} />
          {empty ? null : <ChartTable model={chart.value} />}
          <p class="hint chart-hint" role="status">
            {t(loading ? "state.loading" : "device.chart-hint")}
          </p>
        </section>
        <div class="aside">
          <Outlook forecast={model.forecasts.value[main]} limited={(model.limitsOf.value[main]?.length ?? 0) > 0} />
          <Incidents model={model} />
        </div>
      </div>
    </>
  );
}

function Incidents({ model }: { model: DeviceModel }) {
  const incidents = model.incidents.value;
  return (
    <section class="card" aria-labelledby="device-incidents">
      <h2 id="device-incidents">{t("device.incidents")}</h2>
      {incidents.length === 0 ? <p>{t("device.no-incidents")}</p> : null}
      <ul class="plain">
        {incidents.slice(0, 8).map((incident) => (
          <IncidentRow key={incident.incident_id} incident={incident} />
        ))}
      </ul>
    </section>
  );
}

interface StepProps {
  label: string;
  path: string;
  act: () => void;
  disabled?: boolean;
}

function StepButton({ label, path, act, disabled = false }: StepProps) {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} disabled={disabled} onClick={act}>
      <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
        <path d={path} fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" />
      </svg>
    </button>
  );
}

/** Saves every reading of the stretch that is shown, also where the chart shows means. */
function Export({ model }: { model: DeviceModel }) {
  const said = useSignal("");
  const busy = useSignal(false);
  async function save(): Promise<void> {
    busy.value = true;
    const device = model.device.value?.device ?? "";
    const { from, to } = model.span.value;
    try {
      const columns = await Promise.all(
        model.chosen.value.map(async (metric) => ({ metric, points: await loadRecentOrPast(device, metric, { from, to }, AbortSignal.timeout(120_000)) })),
      );
      const { text, rows } = csv(columns);
      const day = new Date(Math.min(to, present())).toISOString().slice(0, 16).replace(":", "");
      hand(`${device}-${day}.csv`, new Blob([text], { type: "text/csv;charset=utf-8" }));
      said.value = t("device.exported", { count: rows });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      said.value = failureText(error);
    }
    busy.value = false;
  }
  return (
    <>
      <span class="hint" role="status">
        {said.value}
      </span>
      <button type="button" class="button" disabled={busy.value} onClick={() => void save()}>
        {t(busy.value ? "state.loading" : "device.export")}
      </button>
    </>
  );
}

function chartModel(model: DeviceModel): ChartModel {
  const device = model.device.value;
  const series = model.readings.series.value;
  const panels = model.chosen.value.map((metric) => ({
    metric,
    unit: device?.metrics[metric]?.unit ?? "",
    points: series[metric]?.points ?? NOTHING,
    envelope: series[metric]?.envelope ?? null,
    forecast: model.forecasts.value[metric] ?? null,
    limits: model.limitsOf.value[metric] ?? NOTHING,
  }));
  return { panels, marked: model.marked.value, ...model.span.value, line: { at: model.at.value, label: t("chart.now") } };
}

const NOTHING: never[] = [];
