/** Says what the lines and areas of a chart are. */
import { t } from "../i18n/language";
import type { ChartModel } from "./model";

export function Legend({ model }: { model: ChartModel }) {
  const shown = model.marked.filter((each) => each.to > model.from && each.from < model.to);
  const means = model.panels.some((panel) => panel.envelope);
  const forecast = model.panels.some((panel) => panel.forecast);
  return (
    <ul class="legend plain" aria-hidden="true">
      <li class="legend-measured">{t(means ? "chart.mean" : "chart.measured")}</li>
      {means ? <li class="legend-band legend-envelope">{t("chart.envelope")}</li> : null}
      {forecast ? <li class="legend-median">{t("chart.median")}</li> : null}
      {forecast ? <li class="legend-band">{t("chart.band")}</li> : null}
      {shown.some(({ kind }) => kind === "predicted") ? (
        <li class="legend-area legend-predicted">{t("status.predicted")}</li>
      ) : null}
      {shown.some(({ kind }) => kind === "observed") ? <li class="legend-area">{t("status.out")}</li> : null}
    </ul>
  );
}
