/** One device: what it measures now, how it went, what the next hour will bring, and its incidents. */
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { ChartView } from "../chart/chart-view";
import { Legend } from "../chart/legend";
import type { ChartModel } from "../chart/model";
import { ChartTable } from "../chart/table";
import { now, present } from "../clock";
import { fullTime, metricName, relative, share, valueOf } from "../i18n/format";
import { t } from "../i18n/language";
import { markedOf } from "../incidents/marked";
import { IncidentRow } from "../incidents/row";
import { links } from "../router";
import { Age } from "../ui/age";
import { Failed, failureText, Loading } from "../ui/states";
import { useTitle } from "../ui/title";
import { csv, download } from "./csv";
import { DeviceModel, type Range, RANGES } from "./device";
import { Outlook } from "./outlook";

const AHEAD_MS = 65 * 60_000;

export function DeviceView({ device: name }: { device: string }) {
  useTitle(name);
  const model = useMemo(() => new DeviceModel(name), [name]);
  useEffect(() => () => model.stop(), [model]);
  const chart = useComputed(() => chartModel(model));
  const device = model.device.value;
  if (!device) {
    const failure = model.failure.value;
    return failure ? <Failed failure={failure} retry={() => void model.load()} /> : <Loading rows={6} />;
  }
  const metrics = Object.keys(device.metrics).sort();
  const main = model.chosen.value[0] ?? "";
  const empty = model.progress.value === null && chart.value.panels.every((panel) => panel.points.length === 0);
  const newest = Object.values(device.metrics).reduce((best, each) => (each.last_ts > best ? each.last_ts : best), "");
  return (
    <>
      <header class="page-head">
        <div>
          <p class="crumb">
            <a href={links.fleet}>{t("nav.fleet")}</a>
          </p>
          <h1>{name}</h1>
          <p class="hint">
            {[...Object.entries(device.labels).map((label) => label.join(": ")), ""].join(" · ")}
            {newest ? t("device.last-seen", { age: relative(Date.parse(newest), Math.max(now.value, Date.parse(newest))) }) : null}
          </p>
        </div>
      </header>
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
                  aria-pressed={model.range.value === range}
                  onClick={() => (model.range.value = range)}
                >
                  {t(`device.range-${range}`)}
                </button>
              ))}
            </div>
            <Export model={model} />
          </div>
          {empty ? (
            <div class="state">
              <h2>{t("device.no-readings")}</h2>
              {newest ? <p>{t("device.no-readings-next", { time: fullTime(Date.parse(newest)) })}</p> : null}
            </div>
          ) : (
            <>
              <ChartView
                model={chart.value}
                zoomKey={model.range.value}
                label={t("device.chart", {
                  metrics: model.chosen.value.map(metricName).join(", "),
                  device: name,
                  range: t(`device.range-${model.range.value}`),
                })}
              />
              <Legend model={chart.value} />
            </>
          )}
          {empty ? null : <ChartTable model={chart.value} />}
          <p class="hint chart-hint" role="status">
            {model.progress.value === null
              ? t("device.chart-hint")
              : t("device.loading-part", { percent: share(model.progress.value) })}
          </p>
        </section>
        <div class="aside">
          <Outlook forecast={model.forecasts.value[main]} limited={model.limits(main).length > 0} />
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

function Export({ model }: { model: DeviceModel }) {
  const said = useSignal("");
  const save = (): void => {
    const from = present() - RANGES[model.range.value];
    const columns = model.chosen.value.map((metric) => ({
      metric,
      points: (model.points.value[metric] ?? []).filter(([at]) => at >= from),
    }));
    const { text, rows } = csv(columns);
    const day = new Date(present()).toISOString().slice(0, 16).replace(":", "");
    download(`${model.device.value?.device ?? "device"}-${day}.csv`, text);
    said.value = t("device.exported", { count: rows });
  };
  return (
    <>
      <span class="hint" role="status">
        {said.value}
      </span>
      <button type="button" class="button" disabled={model.progress.value !== null} onClick={save}>
        {t("device.export")}
      </button>
    </>
  );
}

function chartModel(model: DeviceModel): ChartModel {
  const device = model.device.value;
  // Moves on every ten seconds: often enough for the eye, seldom enough for a phone's battery.
  const at = Math.floor(now.value / 10_000) * 10_000;
  const panels = model.chosen.value.map((metric) => ({
    metric,
    unit: device?.metrics[metric]?.unit ?? "",
    points: model.points.value[metric] ?? [],
    forecast: model.forecasts.value[metric] ?? null,
    limits: model.limits(metric),
  }));
  const ahead = panels.some((panel) => panel.forecast && Date.parse(panel.forecast.known_at) > at - AHEAD_MS);
  const marked = model.incidents.value.flatMap((incident) => markedOf(incident, at));
  return {
    panels,
    marked,
    from: at - RANGES[model.range.value],
    to: at + (ahead ? AHEAD_MS : 60_000),
    line: { at, label: t("chart.now") },
  };
}
