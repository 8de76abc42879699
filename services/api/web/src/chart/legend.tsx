/** Says what the lines of a chart are. */
import { t } from "../i18n/language";

export function Legend({ forecast, incidents }: { forecast: boolean; incidents: "predicted" | "observed" | null }) {
  return (
    <ul class="legend plain" aria-hidden="true">
      <li class="legend-measured">{t("chart.measured")}</li>
      {forecast ? <li class="legend-median">{t("chart.median")}</li> : null}
      {forecast ? <li class="legend-band">{t("chart.band")}</li> : null}
      {incidents ? <li class={`legend-incident legend-${incidents}`}>{t("chart.incident")}</li> : null}
    </ul>
  );
}
