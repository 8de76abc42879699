/** What a rule says, in words. */
import type { ForecastCondition, Rule } from "../api/types";
import { duration, metricName, percent, threshold } from "../i18n/format";
import { plural, t } from "../i18n/language";

export function appliesText(rule: Rule): string {
  const pattern = rule.device;
  const device =
    pattern === "*" ? t("rules.every-device") : /[*?]/.test(pattern) ? t("rules.devices-like", { pattern }) : pattern;
  return `${t("rules.applies", { metric: metricName(rule.metric), device })}:`;
}

export function conditionText({ condition, profile }: Rule): string {
  switch (condition.kind) {
    case "limit":
      return limitsText(condition);
    case "product":
      return t("rules.product", { product: profile?.name ?? condition.product });
    case "silence":
      return t("rules.silence", { duration: duration(condition.after_minutes * 60_000) });
    case "stuck":
      return t("rules.stuck", { duration: duration(condition.after_minutes * 60_000) });
    case "rate": {
      const [up, down] = [condition.rising, condition.falling];
      return [up === null ? "" : t("rules.rising", { rate: threshold(up, "/") }), down === null ? "" : t("rules.falling", { rate: threshold(down, "/") })]
        .filter((text) => text !== "")
        .join(", ");
    }
  }
}

/** Limits as a rule or a product sets them. */
export function limitsText(condition: { above: number | null; below: number | null }): string {
  // Neither knows a unit: it may apply to series of several.
  const [above, below] = [condition.above, condition.below].map((limit) => (limit === null ? "" : threshold(limit, "/")));
  if (above && below) return t("rules.between", { above, below });
  return above ? t("rules.at-most", { above }) : t("rules.at-least", { below: below ?? "" });
}

export function details(rule: Rule): string[] {
  const { condition } = rule;
  const hold = condition.kind === "limit" || condition.kind === "rate" ? condition.hold_seconds : 0;
  return [
    hold > 0 ? t("rules.hold", { duration: duration(hold * 1000) }) : "",
    condition.kind === "limit" || condition.kind === "product" ? aheadText(condition.forecast) : "",
    ...Object.entries(rule.labels).map((label) => label.join(": ")),
    rule.sms.length > 0 ? plural("rules.tells", rule.sms.length) : "",
  ].filter((text) => text !== "");
}

function aheadText(forecast: ForecastCondition | null): string {
  return forecast ? t("rules.forecast", { probability: percent(forecast.min_probability) }) : t("rules.no-forecast");
}
