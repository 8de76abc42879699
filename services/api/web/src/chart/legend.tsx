/** Says what the lines and areas of a chart are. */
import { t } from "../i18n/language";
import type { ChartModel } from "./model";

export function Legend({ model }: { model: ChartModel }) {
  const shown = model.marked.filter((each) => each.to > model.from);
  const forecast = model.panels.some((panel) => panel.forecast);
  return (
    <ul class="legend plain" aria-hidden="true">
      <li class="legend-measured">{t("chart.measured")}</li>
      {forecast ? <li class="legend-median">{t("chart.median")}</li> : null}
      {forecast ? <li class="legend-band">{t("chart.band")}</li> : null}
      {shown.some(({ kind }) => kind === "predicted") ? (
        <li class="legend-area legend-predicted">{t("status.predicted")}</li>
      ) : null}
      {shown.some(({ kind }) => kind === "observed") ? <li class="legend-area">{t("status.out")}</li> : null}
    </ul>
  );
}
