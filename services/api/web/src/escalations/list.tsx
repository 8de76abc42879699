/** The escalations: who is told first, and who next while nobody sees to it. */
import type { Escalation, Step } from "../api/types";
import { duration } from "../i18n/format";
import { plural, t } from "../i18n/language";
import { links, NEW } from "../router";
import { StoredList } from "../ui/stored-list";
import { SEVERITIES } from "./draft";

export function EscalationsView() {
  return (
    <StoredList<Escalation>
      title={t("escalations.title")}
      collection="/v1/escalations"
      add={{ href: links.escalation(NEW), text: t("escalations.new") }}
      none={{ title: t("escalations.none"), text: t("escalations.none-next") }}
      note={t("escalations.order")}
      id={({ escalation_id: id }) => id}
      href={({ escalation_id: id }) => links.escalation(id)}
      row={(each) => (
        <>
          <span class="rule-name">{each.escalation_id}</span>
          <span class="rule-says">{[...each.steps.map(stepText), againText(each)].filter((text) => text !== "").join("; ")}</span>
          <span class="rule-facts">{facts(each).join(" · ")}</span>
        </>
      )}
    />
  );
}

function stepText({ after_minutes: minutes, roles, channels }: Step): string {
  const names = roles.map((role) => (role === "*" ? t("escalations.everybody") : role)).join(", ");
  const who = channels === null ? names : t("escalations.by", { who: names, ways: channels.map((way) => t(`channel.${way}`)).join(", ") });
  return minutes === 0 ? t("escalations.at-once", { who }) : t("escalations.after", { time: duration(minutes * 60_000), who });
}

function againText({ repeat_minutes: minutes, max_repeats: times }: Escalation): string {
  if (minutes === null) return "";
  return t("escalations.again", { time: duration(minutes * 60_000), times: plural("preview.times", times) });
}

function facts(each: Escalation): string[] {
  const all = each.severities.length === SEVERITIES.length;
  return [
    each.rule === "*" ? "" : t("escalations.rule", { rule: each.rule }),
    each.device === "*" ? "" : t("rules.devices-like", { pattern: each.device }),
    ...Object.entries(each.labels).map((label) => label.join(": ")),
    all ? "" : each.severities.map((severity) => t(`severity.${severity}`)).join(", "),
    each.group_by === null ? "" : t("escalations.grouped", { group: each.group_by }),
  ].filter((fact) => fact !== "");
}
