/** Translates a chart model into what ECharts draws, in the colours of the page. */
import { clock, day, metricName, number, threshold, unitText, valueOf } from "../i18n/format";
import { t } from "../i18n/language";
import type { ChartOption } from "./echarts";
import { type ChartModel, type Envelope, forecastPoints, isSwitch, type Panel, type Point, shownForecast, withGaps } from "./model";
import type { Span } from "./span";
import { tooltip } from "./tooltip";

const TOP = 34;
const FIRST = 260;
const OTHER = 120;
const BETWEEN = 52;
const BELOW = 34;
const MANY = 3000;

export function chartHeight(panels: number): number {
  return TOP + FIRST + (panels - 1) * (OTHER + BETWEEN) + BELOW;
}

/** Left and right edge of the panels in pixels. */
export function edges(width: number, narrow: boolean): { left: number; right: number } {
  return { left: narrow ? 44 : 56, right: width - (narrow ? 12 : 24) };
}

/** The colours of the style sheet, since a canvas does not know it. */
export function colours(element: Element): Record<string, string> {
  const style = getComputedStyle(element);
  const named = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const names = ["text", "muted", "line", "surface", "accent", "band", "envelope", "out", "predicted", "out-area", "predicted-area"];
  return Object.fromEntries(names.map((name) => [name, named(name)]));
}

export function options(model: ChartModel, colour: Record<string, string>, narrow: boolean): ChartOption {
  const left = narrow ? 44 : 56;
  const right = narrow ? 12 : 24;
  return {
    animation: false,
    backgroundColor: "transparent",
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: colour["text"] ?? "" },
    grid: model.panels.map((_, at) => ({
      left,
      right,
      top: at === 0 ? TOP : TOP + FIRST + BETWEEN + (at - 1) * (OTHER + BETWEEN),
      height: at === 0 ? FIRST : OTHER,
    })),
    ...axes(model, colour, narrow),
    axisPointer: { link: [{ xAxisIndex: "all" }] },
    tooltip: {
      trigger: "axis",
      confine: true,
      className: "chart-tip",
      backgroundColor: "transparent",
      borderWidth: 0,
      padding: 0,
      formatter: (shown: unknown) => tooltip(shown, model),
    },
    series: model.panels.flatMap((panel, at) => panelSeries(model, panel, at, colour)),
  };
}

/** What changes when a chart is moved. */
export function axes(model: ChartModel, colour: Record<string, string>, narrow: boolean): ChartOption {
  const left = narrow ? 44 : 56;
  const font = { color: colour["muted"], fontSize: 12 };
  return {
    xAxis: model.panels.map((_, at) => ({
      type: "time",
      gridIndex: at,
      min: model.from,
      max: model.to,
      axisLine: { lineStyle: { color: colour["line"] } },
      axisTick: { show: false },
      splitLine: { show: false },
      splitNumber: narrow ? 3 : 6,
      axisLabel: { ...font, hideOverlap: true, formatter: timeLabel },
      axisPointer: { lineStyle: { color: colour["muted"] }, label: { show: false } },
    })),
    yAxis: model.panels.map((panel, at) => ({
      type: "value",
      gridIndex: at,
      name: panelTitle(panel),
      nameLocation: "end",
      nameGap: 14,
      nameTextStyle: { ...font, color: colour["text"], fontWeight: 600, align: "left", padding: [0, 0, 0, -left + 12] },
      ...valueRange(panel, model, at === 0 ? 7 : 3),
      axisLabel: { ...font, formatter: (value: number) => axisValue(panel, value) },
      splitLine: { lineStyle: { color: colour["line"] } },
    })),
  };
}

function panelTitle(panel: Panel): string {
  const unit = unitText(panel.unit);
  return unit ? `${metricName(panel.metric)}, ${unit}` : metricName(panel.metric);
}

/** Round bounds around what is shown; limits are in view where the values come near them; a switch shows off and on. */
function valueRange(panel: Panel, shown: Span, parts: number): { min?: number; max?: number; interval?: number } {
  if (isSwitch(panel)) return { min: 0, max: 1, interval: 1 };
  let [low, high] = [Infinity, -Infinity];
  const see = (value: number) => {
    low = Math.min(low, value);
    high = Math.max(high, value);
  };
  const inside = (at: number) => at >= shown.from && at <= shown.to;
  for (const [at, value] of panel.points) if (value !== null && inside(at)) see(value);
  for (const [at, lowest, highest] of panel.envelope ?? []) if (inside(at)) [lowest, highest].forEach(see);
  const forecast = shownForecast(panel);
  for (const point of forecast ? forecastPoints(forecast) : []) if (inside(point.at)) [point.low, point.high].forEach(see);
  if (low > high) return {};
  const near = Math.max(high - low, 1);
  panel.limits.filter((limit) => limit >= low - near && limit <= high + near).forEach(see);
  const rough = Math.max(high - low, 0.5) / parts;
  const power = 10 ** Math.floor(Math.log10(rough));
  const interval = ([1, 2, 5].find((step) => step * power >= rough) ?? 10) * power;
  const margin = (high - low) * 0.04;
  return {
    min: Math.floor((low - margin) / interval) * interval,
    max: Math.ceil((high + margin) / interval) * interval,
    interval,
  };
}

function axisValue(panel: Panel, value: number): string {
  if (isSwitch(panel)) return valueOf(panel.metric, value, panel.unit);
  // Sums of tenths are not exact in binary.
  return number(Number(value.toFixed(6)));
}

function timeLabel(value: number): string {
  const at = new Date(value);
  return at.getHours() === 0 && at.getMinutes() === 0 ? day(value) : clock(value);
}

function panelSeries(model: ChartModel, panel: Panel, at: number, colour: Record<string, string>): object[] {
  const common = {
    type: "line",
    xAxisIndex: at,
    yAxisIndex: at,
    showSymbol: false,
    emphasis: { disabled: true },
    silent: true,
  };
  const measured = {
    ...common,
    id: `measured-${at}`,
    name: "measured",
    data: withGaps(panel.points, (time): Point => [time, null]),
    step: isSwitch(panel) ? "end" : false,
    // More points than a screen has pixels are thinned out, and peaks stay; a switch has edges instead.
    ...(panel.points.length > MANY && !isSwitch(panel) ? { sampling: "lttb" } : {}),
    lineStyle: { color: colour["accent"], width: 2 },
    itemStyle: { color: colour["accent"] },
    z: 3,
    markLine: { silent: true, symbol: "none", animation: false, data: lines(model, panel, colour) },
    markArea: { silent: true, data: areas(model, panel, colour) },
  };
  const forecast = shownForecast(panel);
  return [
    ...(panel.envelope ? bandSeries("envelope", at, withGaps(panel.envelope, (time): Envelope => [time, Number.NaN, Number.NaN]), common, colour["envelope"] ?? "") : []),
    ...(forecast ? forecastSeries(forecast, at, common, colour) : []),
    measured,
  ];
}

/** An area from a low to a high line. */
function bandSeries(
  name: string,
  at: number,
  points: readonly Envelope[],
  common: object,
  colour: string,
): object[] {
  const invisible = { lineStyle: { opacity: 0 }, itemStyle: { opacity: 0 } };
  const stack = { stack: `${name}-${at}`, stackStrategy: "all" };
  const low = points.map(([time, from]) => [time, from]);
  const above = points.map(([time, from, to]) => [time, to - from]);
  return [
    { ...common, ...invisible, ...stack, id: `${name}-low-${at}`, name: "low", data: low },
    { ...common, ...invisible, ...stack, id: `${name}-${at}`, name, data: above, areaStyle: { color: colour, opacity: 1 }, z: 1 },
  ];
}

function forecastSeries(
  forecast: NonNullable<Panel["forecast"]>,
  at: number,
  common: object,
  colour: Record<string, string>,
): object[] {
  const points = forecastPoints(forecast);
  const band = points.map((point) => [point.at, point.low, point.high] as const);
  return [
    ...bandSeries("band", at, band, common, colour["band"] ?? ""),
    {
      ...common,
      id: `median-${at}`,
      name: "median",
      data: points.map((point) => [point.at, point.median]),
      lineStyle: { color: colour["accent"], width: 2, type: [5, 5] },
      itemStyle: { color: colour["accent"] },
      z: 2,
    },
  ];
}

function lines(model: ChartModel, panel: Panel, colour: Record<string, string>): object[] {
  const limits = panel.limits.map((limit) => ({
    yAxis: limit,
    lineStyle: { color: colour["out"], width: 1.5, type: [8, 4] },
    label: {
      formatter: t("chart.limit", { value: threshold(limit, panel.unit) }),
      position: "insideStartTop",
      color: colour["out"],
      fontSize: 12,
    },
  }));
  if (!model.line) return limits;
  const vertical = {
    xAxis: model.line.at,
    lineStyle: { color: colour["muted"], width: 1, type: "solid" },
    label: { formatter: panel === model.panels[0] ? model.line.label : "", color: colour["muted"], fontSize: 12 },
  };
  return [...limits, vertical];
}

const AREAS = { predicted: "predicted-area", observed: "out-area" } as const;

function areas(model: ChartModel, panel: Panel, colour: Record<string, string>): object[] {
  return model.marked
    .filter((each) => each.metric === panel.metric)
    .map((each) => [{ xAxis: each.from, itemStyle: { color: colour[AREAS[each.kind]] } }, { xAxis: each.to }]);
}
