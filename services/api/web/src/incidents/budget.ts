/** How much of a product's budgets is used up, in words. */
import type { Excursion } from "../api/types";
import { duration, quantity } from "../i18n/format";
import { t } from "../i18n/language";

export function budgets(excursion: Excursion): string[] {
  const kinetic = excursion.mean_kinetic;
  return [
    used(excursion.minutes, excursion.consecutive_budget, excursion.foreseen_minutes),
    used(excursion.cumulative_minutes, excursion.cumulative_budget, excursion.foreseen_cumulative_minutes),
    kinetic === null ? null : t("incident.excursion-kinetic", { value: quantity(kinetic, "Cel") }),
  ].filter((said) => said !== null);
}

function used(minutes: number, budget: number | null, foreseen: number | null): string | null {
  if (budget === null) return null;
  const said = t("incident.excursion-now", { used: duration(minutes * 60_000), budget: duration(budget * 60_000) });
  return foreseen === null ? said : `${said}, ${t("incident.excursion-foreseen", { used: duration(foreseen * 60_000) })}`;
}
