/** What the chart says of the moment below the pointer. Made of elements: the page's policy allows no inline styles. */
import { fullTime, metricName, quantity, valueOf } from "../i18n/format";
import { t } from "../i18n/language";
import { type ChartModel, forecastPoints, type Panel, shownForecast } from "./model";

export function tooltip(shown: unknown, model: ChartModel): HTMLElement {
  const at = momentOf(shown);
  const box = element("div", "tip");
  box.append(element("div", "tip-time", fullTime(at)));
  for (const panel of model.panels) {
    for (const [name, value] of said(panel, at, model.panels.length > 1)) {
      const row = element("div", "tip-row");
      row.append(element("span", "tip-name", name), element("span", "tip-value", value));
      box.append(row);
    }
  }
  return box;
}

function momentOf(shown: unknown): number {
  const first = (Array.isArray(shown) ? shown[0] : shown) as { axisValue?: number | string } | undefined;
  return Number(first?.axisValue ?? 0);
}

function said(panel: Panel, at: number, several: boolean): [string, string][] {
  const rows: [string, string][] = [];
  const measured = nearest(panel.points, at);
  if (measured !== null) rows.push([metricName(panel.metric), valueOf(panel.metric, measured, panel.unit)]);
  const forecast = shownForecast(panel);
  const points = forecast ? forecastPoints(forecast) : [];
  const of = several ? `${metricName(panel.metric)}: ` : "";
  const next = points.findIndex((point) => point.at >= at);
  const after = points[next];
  if (after && next > 0) {
    const before = points[next - 1] ?? after;
    const share = (at - before.at) / (after.at - before.at || 1);
    const between = (one: number, other: number) => quantity(one + (other - one) * share, panel.unit, 1);
    rows.push(
      [`${of}${t("chart.median")}`, between(before.median, after.median)],
      [`${of}${t("chart.band")}`, t("chart.tip-band", { low: between(before.low, after.low), high: between(before.high, after.high) })],
    );
  }
  return rows;
}

/** The value measured nearest to a moment, within ten minutes. */
function nearest(points: Panel["points"], at: number): number | null {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.[0] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  const near = [points[low - 1], points[low]]
    .filter((point) => point !== undefined)
    .sort((one, other) => Math.abs(one[0] - at) - Math.abs(other[0] - at))[0];
  return near && Math.abs(near[0] - at) < 600_000 ? near[1] : null;
}

function element(name: string, className: string, text = ""): HTMLElement {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
