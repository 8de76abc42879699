/** Writes series as CSV: one time column in UTC and one column per metric, as `sensorcast replay` reads it. */
import type { Point } from "../chart/model";

export interface Column {
  metric: string;
  points: Point[];
}

export function csv(columns: Column[]): { text: string; rows: number } {
  const byTime = new Map<number, (number | null)[]>();
  columns.forEach(({ points }, at) => {
    for (const [time, value] of points) {
      let row = byTime.get(time);
      if (!row) {
        row = columns.map(() => null);
        byTime.set(time, row);
      }
      row[at] = value;
    }
  });
  const times = [...byTime.keys()].sort((one, other) => one - other);
  const header = ["time", ...columns.map(({ metric }) => metric)].join(",");
  const lines = times.map((time) => {
    const values = (byTime.get(time) ?? []).map((value) => value ?? "");
    return [new Date(time).toISOString(), ...values].join(",");
  });
  return { text: [header, ...lines, ""].join("\r\n"), rows: times.length };
}
