/** What the newest forecast says, in words. */
import type { Forecast } from "../api/types";
import { now } from "../clock";
import { clock, duration, limit, percent, quantity, relative } from "../i18n/format";
import { t } from "../i18n/language";

const STALE_MS = 30 * 60_000;

interface Props {
  forecast: Forecast | null | undefined;
  limited: boolean;
}

export function Outlook({ forecast, limited }: Props) {
  return (
    <section class="card outlook" aria-labelledby="outlook">
      <h2 id="outlook">{t("device.outlook")}</h2>
      {forecast ? <Said forecast={forecast} limited={limited} /> : <p>{t("device.outlook-none")}</p>}
    </section>
  );
}

function Said({ forecast, limited }: { forecast: Forecast; limited: boolean }) {
  const { unit } = forecast;
  const made = Date.parse(forecast.known_at);
  const last = forecast.q50.length - 1;
  const risks = [...forecast.risks].sort((one, other) => other.probability - one.probability);
  const value = (values: number[]) => quantity(values[last] ?? forecast.last_value, unit, 1);
  return (
    <>
      {now.value - made > STALE_MS ? (
        <p class="problem">{t("device.outlook-stale", { age: relative(made, now.value) })}</p>
      ) : null}
      {risks.map((risk) => (
        <p key={`${risk.rule_id} ${risk.side}`} class={`outlook-risk outlook-${risk.probability >= 0.5 ? "high" : "low"}`}>
          <strong>
            {t("device.outlook-risk", {
              probability: percent(risk.probability),
              limit: limit(risk.side, risk.threshold, unit),
            })}
          </strong>
          {risk.expected_at && risk.probability >= 0.1 ? (
            <span>
              {t("device.outlook-when", {
                time: clock(Date.parse(risk.expected_at)),
                age: relative(Date.parse(risk.expected_at), now.value),
              })}
            </span>
          ) : null}
        </p>
      ))}
      {limited ? null : <p>{t("device.outlook-no-limits")}</p>}
      <p>
        {t("device.outlook-range", {
          median: value(forecast.q50),
          low: value(forecast.q10),
          high: value(forecast.q90),
        })}
      </p>
      <p class="hint">
        {t("device.outlook-made", {
          age: relative(made, Math.max(made, now.value)),
          model: forecast.model,
          count: duration(Date.parse(forecast.trained_to) - Date.parse(forecast.trained_from)),
        })}{" "}
        {forecast.fallback ? t("device.fallback", { reason: forecast.fallback }) : null}
      </p>
    </>
  );
}
