/** A chart that follows its model, its size, the colours and the language; it is moved with mouse, fingers and keys. */
import { useEffect, useRef } from "preact/hooks";
import { language } from "../i18n/language";
import { isDark } from "../theme";
import { type Chart, init } from "./echarts";
import { followGestures } from "./gestures";
import type { ChartModel } from "./model";
import { axes, chartHeight, colours, edges, options } from "./options";
import type { Span } from "./span";

const NARROW = 560;

interface Props {
  model: ChartModel;
  label: string;
  /** Somebody asks for another stretch of time. */
  move: (span: Span) => void;
  /** Somebody asks for the stretch it began with. */
  home: () => void;
}

export function ChartView({ model, label, move, home }: Props) {
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | null>(null);
  const drawn = useRef<{ model: ChartModel; look: string } | null>(null);
  const latest = useRef({ model, move, home });
  latest.current = { model, move, home };

  const draw = (): void => {
    const [box, canvas] = [element.current, chart.current];
    if (!box || !canvas || box.clientWidth === 0) return;
    const shown = latest.current.model;
    const narrow = box.clientWidth < NARROW;
    const look = `${box.clientWidth} ${isDark()} ${language.value}`;
    const before = drawn.current;
    drawn.current = { model: shown, look };
    // While it is only moved, nothing but the axes changes: that keeps up with a finger.
    if (before?.look === look && sameContent(before.model, shown)) canvas.setOption(axes(shown, colours(box), narrow));
    else canvas.setOption(options(shown, colours(box), narrow), { notMerge: before?.look !== look || shapeOf(before.model) !== shapeOf(shown), replaceMerge: ["series"] });
  };

  useEffect(() => {
    const box = element.current;
    if (!box) return;
    const gone = new AbortController();
    const canvas = init(box);
    chart.current = canvas;
    canvas.on("rendered", () => {
      if (drawn.current) markDrawn(drawn.current.model);
    });
    const sized = new ResizeObserver(() => {
      canvas.resize();
      draw();
    });
    sized.observe(box);
    const chartOfNow = {
      shown: () => {
        const { from, to } = latest.current.model;
        return { span: { from, to }, ...edges(box.clientWidth, box.clientWidth < NARROW) };
      },
      move: (span: Span) => latest.current.move(span),
      home: () => latest.current.home(),
      began: () => canvas.dispatchAction({ type: "hideTip" }),
    };
    followGestures(box, chartOfNow, gone.signal);
    return () => {
      gone.abort();
      sized.disconnect();
      canvas.dispose();
      chart.current = null;
    };
  }, []);
  useEffect(draw, [model, isDark(), language.value]);

  return (
    <div
      ref={element}
      class="chart"
      style={{ height: `${chartHeight(Math.max(1, model.panels.length))}px` }}
      role="img"
      aria-label={label}
      tabIndex={0}
    />
  );
}

/** Leave a mark in the browser's timeline that says which point is the newest on the screen, and when it came there. */
function markDrawn(model: ChartModel): void {
  performance.clearMarks(DRAWN);
  performance.mark(DRAWN, { detail: { at: Date.now(), newest: model.panels[0]?.points.at(-1)?.[0] ?? null } });
}

const DRAWN = "chart-drawn";

function shapeOf(model: ChartModel): string {
  return model.panels.map((panel) => panel.metric).join(" ");
}

function sameContent(one: ChartModel, other: ChartModel): boolean {
  return (
    one.line?.at === other.line?.at &&
    one.marked === other.marked &&
    one.panels.length === other.panels.length &&
    one.panels.every((panel, at) => {
      const same = other.panels[at];
      return same !== undefined && panel.metric === same.metric && panel.points === same.points &&
        panel.envelope === same.envelope && panel.forecast === same.forecast && panel.limits === same.limits;
    })
  );
}
