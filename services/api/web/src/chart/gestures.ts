/** Moves and zooms a stretch of time by wheel, drag, pinch and keys. One finger up or down still scrolls the page. */
import { moved, type Span, zoomed } from "./span";

/** Where a chart is moved to. */
export interface Movable {
  /** What is shown now, and its left and right edge in pixels within the element. */
  shown: () => { span: Span; left: number; right: number };
  move: (span: Span) => void;
  /** Back to where it began. */
  home: () => void;
  /** A move begins: what follows the pointer should step aside. */
  began: () => void;
}

export function followGestures(element: HTMLElement, chart: Movable, until: AbortSignal): void {
  const fingers = new Map<number, number>();
  let frame = 0;
  let next: Span | null = null;

  const timeAt = (x: number): number => {
    const { span, left, right } = chart.shown();
    return span.from + ((x - left) / (right - left)) * (span.to - span.from);
  };
  const inside = (event: MouseEvent): number => event.clientX - element.getBoundingClientRect().left;
  /** At most one move for each frame, each from where the last one led. */
  const move = (change: (span: Span) => Span): void => {
    next = change(next ?? chart.shown().span);
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      if (next) chart.move(next);
      next = null;
    });
  };
  const listen = <Name extends keyof HTMLElementEventMap>(
    name: Name,
    handle: (event: HTMLElementEventMap[Name]) => void,
  ): void => element.addEventListener(name, handle, { signal: until, passive: false });

  listen("wheel", (event) => {
    event.preventDefault();
    const { span, left, right } = chart.shown();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      move((from) => moved(from, (event.deltaX / (right - left)) * (span.to - span.from)));
    } else {
      const around = timeAt(inside(event));
      move((from) => zoomed(from, Math.exp(Math.min(Math.max(event.deltaY, -200), 200) * 0.002), around));
    }
  });
  listen("pointerdown", (event) => {
    if (event.button !== 0) return;
    fingers.set(event.pointerId, inside(event));
    element.setPointerCapture(event.pointerId);
    chart.began();
  });
  listen("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (before === undefined) return;
    const x = inside(event);
    const { left, right } = chart.shown();
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other === undefined) {
      move((span) => moved(span, ((before - x) / (right - left)) * (span.to - span.from)));
    } else if (Math.abs(x - other) > 10 && Math.abs(before - other) > 10) {
      const around = timeAt(other);
      move((span) => zoomed(span, Math.abs(before - other) / Math.abs(x - other), around));
    }
    fingers.set(event.pointerId, x);
  });
  for (const name of ["pointerup", "pointercancel"] as const) listen(name, (event) => fingers.delete(event.pointerId));
  listen("dblclick", () => chart.home());
  listen("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = KEYS[event.key];
    if (!action && event.key !== "0") return;
    event.preventDefault();
    if (action) move(action);
    else chart.home();
  });
  until.addEventListener("abort", () => cancelAnimationFrame(frame));
}

const KEYS: Record<string, (span: Span) => Span> = {
  ArrowLeft: (span) => moved(span, (span.from - span.to) / 4),
  ArrowRight: (span) => moved(span, (span.to - span.from) / 4),
  // The latest stays in view: it is what most people look for.
  "+": (span) => zoomed(span, 1 / 2, span.to),
  "-": (span) => zoomed(span, 2, span.to),
};
