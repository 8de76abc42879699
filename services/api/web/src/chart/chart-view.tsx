/** A chart that follows its model, its size, the colours and the language; it can be zoomed with mouse, fingers and keys. */
import { useEffect, useRef } from "preact/hooks";
import { language } from "../i18n/language";
import { isDark } from "../theme";
import { type Chart, init } from "./echarts";
import type { ChartModel } from "./model";
import { chartHeight, colours, options } from "./options";

const NARROW = 560;

interface Props {
  model: ChartModel;
  label: string;
  /** What must change for the zoom to be given up, such as the range. */
  zoomKey: string;
}

export function ChartView({ model, label, zoomKey }: Props) {
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | null>(null);
  const shape = useRef("");
  const latest = useRef(model);
  latest.current = model;

  const draw = (): void => {
    const [box, drawn] = [element.current, chart.current];
    if (!box || !drawn) return;
    const shown = latest.current;
    const now = `${zoomKey} ${shown.panels.map((panel) => panel.metric).join(" ")} ${box.clientWidth < NARROW}`;
    // A new shape begins anew; otherwise the zoom stays and only what changed is replaced.
    const anew = shape.current !== now;
    shape.current = now;
    const option = options(shown, colours(box), box.clientWidth < NARROW);
    if (anew) drawn.setOption({ ...option, dataZoom: zoomedOut(option) }, { notMerge: true });
    else drawn.setOption({ ...option, dataZoom: undefined }, { replaceMerge: ["series"] });
  };

  useEffect(() => {
    const box = element.current;
    if (!box) return;
    chart.current = init(box);
    const sized = new ResizeObserver(() => {
      chart.current?.resize();
      draw();
    });
    sized.observe(box);
    chart.current.getZr().on("dblclick", () => zoom(chart.current, () => [0, 100]));
    return () => {
      sized.disconnect();
      chart.current?.dispose();
      chart.current = null;
    };
  }, []);
  useEffect(draw, [model, zoomKey, isDark(), language.value]);

  const height = chartHeight(Math.max(1, model.panels.length));
  return (
    <div
      ref={element}
      class="chart"
      style={{ height: `${height}px` }}
      role="img"
      aria-label={label}
      tabIndex={0}
      onKeyDown={(event) => onKey(event, chart.current)}
    />
  );
}

function zoomedOut(option: object): unknown {
  const zooms = (option as { dataZoom: object[] }).dataZoom;
  return zooms.map((each) => ({ ...each, start: 0, end: 100 }));
}

type Window = [number, number];

function zoom(chart: Chart | null, change: (window: Window) => Window): void {
  if (!chart) return;
  const zooms = (chart.getOption() as { dataZoom: { start: number; end: number }[] }).dataZoom;
  const [start, end] = change([zooms[0]?.start ?? 0, zooms[0]?.end ?? 100]);
  const width = Math.min(100, end - start);
  const from = Math.min(Math.max(0, start), 100 - width);
  chart.dispatchAction({ type: "dataZoom", start: from, end: from + width });
}

function move(share: number): (window: Window) => Window {
  return ([from, to]) => [from + (to - from) * share, to + (to - from) * share];
}

function grow(share: number): (window: Window) => Window {
  return ([from, to]) => [from - (to - from) * share, to + (to - from) * share];
}

function onKey(event: KeyboardEvent, chart: Chart | null): void {
  const actions: Record<string, (window: Window) => Window> = {
    ArrowLeft: move(-0.25),
    ArrowRight: move(0.25),
    "+": grow(-0.25),
    "-": grow(0.5),
    "0": () => [0, 100],
  };
  const action = actions[event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  zoom(chart, action);
}
