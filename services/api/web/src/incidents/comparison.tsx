/** The forecast as it was known when an incident opened, beside what came. */
import { useComputed, useSignal } from "@preact/signals";
import { Failure, path, request } from "../api/client";
import type { Forecast, Incident } from "../api/types";
import { ChartView } from "../chart/chart-view";
import { Legend } from "../chart/legend";
import type { ChartModel, Point } from "../chart/model";
import type { Span } from "../chart/span";
import { ChartTable } from "../chart/table";
import { now, present } from "../clock";
import { loadRecentOrPast } from "../device/readings";
import { quantity, share } from "../i18n/format";
import { t } from "../i18n/language";
import type { Loaded } from "../ui/load";
import { Failed, Loading } from "../ui/states";
import { markedOf } from "./marked";
import { judge, type Verdict } from "./verdict";
import { headline } from "./wording";

const BEFORE_MS = 2 * 3_600_000;
const AFTER_MS = 75 * 60_000;
const LONGEST_MS = 12 * 3_600_000;

export interface Around extends Span {
  points: Point[];
  forecast: Forecast | null;
}

export function Comparison({ incident, around }: { incident: Incident; around: Loaded<Around> }) {
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
          {loaded?.forecast ? <p>{verdictText(judge(loaded.forecast, loaded.points), incident.unit)}</p> : null}
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

function verdictText(verdict: Verdict | null, unit: string): string {
  if (!verdict) return t("incident.verdict-none");
  return t("incident.verdict", { inside: share(verdict.inside), off: quantity(verdict.off, unit) });
}

function chartModel(incident: Incident, around: Around | null): ChartModel | null {
  if (!around) return null;
  const at = Math.floor(now.value / 10_000) * 10_000;
  const { metric, unit, threshold, side } = incident;
  const limits = side === "above" || side === "below" ? [threshold] : [];
  const made = around.forecast ? Date.parse(around.forecast.known_at) : null;
  return {
    panels: [{ metric, unit, points: around.points, envelope: null, forecast: around.forecast, limits }],
    marked: markedOf(incident, Math.min(at, around.to)),
    from: around.from,
    to: around.to,
    line: made === null ? null : { at: made, label: t("chart.known") },
  };
}

/** Some time before an incident until some time after it, or after the present. */
export function spanAround(incident: Incident): Span {
  const opened = Date.parse(incident.opened_at);
  const ended = incident.resolved_at ? Date.parse(incident.resolved_at) : present();
  return { from: opened - BEFORE_MS, to: Math.min(Math.max(opened, ended) + AFTER_MS, opened + LONGEST_MS) };
}

export async function loadAround(incident: Incident, signal: AbortSignal): Promise<Around> {
  const { from, to } = spanAround(incident);
  const forecast = await optional(knownThen(incident, signal));
  const points = await loadRecentOrPast(incident.device, incident.metric, { from, to: Math.min(to, present() + 60_000) }, signal);
  return { points, forecast, from, to };
}

async function knownThen(incident: Incident, signal: AbortSignal): Promise<Forecast> {
  const known_at = incident.forecast_known_at ?? incident.opened_at;
  const base = `/v1/devices/${encodeURIComponent(incident.device)}/forecasts`;
  return await request<Forecast>(path(base, { metric: incident.metric, known_at }), { signal });
}

/** What may be gone, as the rule that was deleted since. */
export async function optional<Value>(asked: Promise<Value>): Promise<Value | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Failure && error.kind === "missing") return null;
    throw error;
  }
}
