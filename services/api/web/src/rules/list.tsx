/** The rules: which limits hold, for what, and who is told. */
import { request } from "../api/client";
import type { ForecastCondition, LimitCondition, Page, Rule } from "../api/types";
import { duration, metricName, percent, threshold } from "../i18n/format";
import { plural, t } from "../i18n/language";
import { links, NEW } from "../router";
import { mayEdit } from "../session";
import { useLoad } from "../ui/load";
import { Empty, Failed, Loading } from "../ui/states";
import { RuleTabs } from "./tabs";
import { useTitle } from "../ui/title";

export function RulesView() {
  useTitle(t("rules.title"));
  const rules = useLoad((signal) => request<Page<Rule>>("/v1/rules", { signal }), []);
  const found = rules.value.value?.items;
  return (
    <>
      <RuleTabs />
      <header class="page-head">
        <h1>{t("rules.title")}</h1>
        {mayEdit() ? (
          <a class="button button-main" href={links.rule(NEW)}>
            {t("rules.new")}
          </a>
        ) : null}
      </header>
      {found ? (
        found.length > 0 ? (
          <ul class="card plain rules">
            {found.map((rule) => (
              <Row key={rule.rule_id} rule={rule} />
            ))}
          </ul>
        ) : (
          <Empty title={t("rules.none")} text={t("rules.none-next")} />
        )
      ) : rules.failure.value ? (
        <Failed failure={rules.failure.value} retry={rules.reload} />
      ) : (
        <Loading />
      )}
      {mayEdit() ? null : <p class="hint">{t("rule.read-only")}</p>}
    </>
  );
}

function Row({ rule }: { rule: Rule }) {
  const content = (
    <>
      <span class="rule-name">
        {rule.name}
        <span class={`tag tag-${rule.severity}`}>{t(`severity.${rule.severity}`)}</span>
        {rule.enabled ? null : <span class="tag">{t("rules.off")}</span>}
      </span>
      <span class="rule-says">{`${appliesText(rule)} ${conditionText(rule)}`}</span>
      <span class="rule-facts">{details(rule).join(" · ")}</span>
    </>
  );
  return (
    <li>
      {mayEdit() ? (
        <a class="rule" href={links.rule(rule.rule_id)}>
          {content}
        </a>
      ) : (
        <div class="rule">{content}</div>
      )}
    </li>
  );
}

function appliesText(rule: Rule): string {
  const pattern = rule.device;
  const device =
    pattern === "*" ? t("rules.every-device") : /[*?]/.test(pattern) ? t("rules.devices-like", { pattern }) : pattern;
  return `${t("rules.applies", { metric: metricName(rule.metric), device })}:`;
}

function conditionText({ condition, profile }: Rule): string {
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

function limitsText(condition: LimitCondition): string {
  // The rule knows no unit: it may apply to series of several.
  const [above, below] = [condition.above, condition.below].map((limit) => (limit === null ? "" : threshold(limit, "/")));
  if (above && below) return t("rules.between", { above, below });
  return above ? t("rules.at-most", { above }) : t("rules.at-least", { below: below ?? "" });
}

function details(rule: Rule): string[] {
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
