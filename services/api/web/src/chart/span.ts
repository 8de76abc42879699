/** The stretch of time that a chart shows, and how it is moved and zoomed. Times in milliseconds since 1970 UTC. */
export interface Span {
  from: number;
  to: number;
}

const SHORTEST_MS = 2 * 60_000;
export const LONGEST_MS = 400 * 86_400_000;

/** The stretch `factor` times as long, with `around` staying where it is on the screen. */
export function zoomed({ from, to }: Span, factor: number, around = (from + to) / 2): Span {
  const length = Math.min(Math.max((to - from) * factor, SHORTEST_MS), LONGEST_MS);
  const scale = length / (to - from);
  return { from: around - (around - from) * scale, to: around + (to - around) * scale };
}

export function moved({ from, to }: Span, by: number): Span {
  return { from: from + by, to: to + by };
}

/** The stretch, moved so that it ends at `latest` at the latest. */
export function endingBy(span: Span, latest: number): Span {
  return span.to > latest ? moved(span, latest - span.to) : span;
}
