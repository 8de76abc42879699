/** The rules: which limits hold, for what, and who is told. */
import type { Rule } from "../api/types";
import { t } from "../i18n/language";
import { links, NEW } from "../router";
import { StoredList } from "../ui/stored-list";
import { appliesText, conditionText, details } from "./wording";

export function RulesView() {
  return (
    <StoredList<Rule>
      title={t("rules.title")}
      collection="/v1/rules"
      add={{ href: links.rule(NEW), text: t("rules.new") }}
      none={{ title: t("rules.none"), text: t("rules.none-next") }}
      id={({ rule_id: id }) => id}
      href={({ rule_id: id }) => links.rule(id)}
      row={(rule) => (
        <>
          <span class="rule-name">
            {rule.name}
            <span class={`tag tag-${rule.severity}`}>{t(`severity.${rule.severity}`)}</span>
            {rule.enabled ? null : <span class="tag">{t("rules.off")}</span>}
          </span>
          <span class="rule-says">{`${appliesText(rule)} ${conditionText(rule)}`}</span>
          <span class="rule-facts">{details(rule).join(" · ")}</span>
        </>
      )}
    />
  );
}
