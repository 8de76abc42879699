/** Who is told of incidents, by which ways and when. */
import type { RecipientShown } from "../api/types";
import { t } from "../i18n/language";
import { links, NEW } from "../router";
import { StoredList } from "../ui/stored-list";
import { spanText } from "./draft";

export function RecipientsView() {
  return (
    <StoredList<RecipientShown>
      title={t("recipients.title")}
      collection="/v1/recipients"
      add={{ href: links.recipient(NEW), text: t("recipients.new") }}
      none={{ title: t("recipients.none"), text: t("recipients.none-next") }}
      id={({ recipient_id: id }) => id}
      href={({ recipient_id: id }) => links.recipient(id)}
      row={(each) => (
        <>
          <span class="rule-name">
            {each.name}
            {each.roles.map((role) => (
              <span key={role} class="tag">
                {role}
              </span>
            ))}
            {each.enabled ? null : <span class="tag">{t("rules.off")}</span>}
          </span>
          <span class="rule-says">{ways(each).join(" · ")}</span>
          <span class="rule-facts">{facts(each).join(" · ")}</span>
        </>
      )}
    />
  );
}

function ways({ sms, email, slack, webhook }: RecipientShown): string[] {
  return [
    sms === null ? "" : `${t("channel.sms")} ${sms}`,
    email === null ? "" : `${t("channel.email")} ${email}`,
    slack === null ? "" : `${t("channel.slack")} ${slack}`,
    webhook === null ? "" : `${t("channel.webhook")} ${webhook.url}`,
  ].filter((way) => way !== "");
}

function facts(each: RecipientShown): string[] {
  return [
    each.device === "*" ? "" : t("rules.devices-like", { pattern: each.device }),
    ...Object.entries(each.labels).map((label) => label.join(": ")),
    each.min_severity === "info" ? "" : t("recipients.from", { severity: t(`severity.${each.min_severity}`) }),
    each.schedule.length === 0 ? "" : t("recipients.on-duty", { when: each.schedule.map(spanText).join(", ") }),
    each.quiet_hours === null ? "" : t("recipients.quiet", { when: spanText(each.quiet_hours) }),
  ].filter((fact) => fact !== "");
}
