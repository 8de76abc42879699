/** What a chart shows, as a table: for screen readers, and for whoever wants the numbers. Made only while it is open. */
import { useSignal } from "@preact/signals";
import { fullTime, metricName, valueOf } from "../i18n/format";
import { t } from "../i18n/language";
import { Scroll } from "../ui/scroll";
import type { ChartModel, Panel, Point } from "./model";

const ROWS = 24;

export function ChartTable({ model }: { model: ChartModel }) {
  const open = useSignal(false);
  return (
    <details
      class="values"
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary>{t("chart.table")}</summary>
      {open.value ? <Rows model={model} /> : null}
    </details>
  );
}

function Rows({ model }: { model: ChartModel }) {
  const [main] = model.panels;
  if (!main) return null;
  const shown = spread(main.points.filter(([at, value]) => at >= model.from && at <= model.to && value !== null));
  return (
    <Scroll class="values-scroll" label={t("chart.table")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("chart.time")}</th>
            {model.panels.map((panel) => (
              <th key={panel.metric} scope="col">
                {metricName(panel.metric)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map(([at]) => (
            <tr key={at}>
              <th scope="row">{fullTime(at)}</th>
              {model.panels.map((panel) => (
                <td key={panel.metric}>{valueAt(panel, at)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** Points that are evenly spread, newest first. */
function spread(points: Point[]): Point[] {
  const step = Math.max(1, Math.floor(points.length / ROWS));
  return points.filter((_, index) => (points.length - 1 - index) % step === 0).toReversed();
}

/** The value that was valid then: the last one measured up to that time. */
function valueAt(panel: Panel, at: number): string {
  const value = panel.points.findLast(([time]) => time <= at)?.[1];
  return value === undefined || value === null ? "–" : valueOf(panel.metric, value, panel.unit);
}
