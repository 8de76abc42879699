/** Who is told of incidents, by which ways and when. */
import { request } from "../api/client";
import type { Page, RecipientShown } from "../api/types";
import { t } from "../i18n/language";
import { links, NEW } from "../router";
import { RuleTabs } from "../rules/tabs";
import { mayEdit } from "../session";
import { useLoad } from "../ui/load";
import { Empty, Failed, Loading } from "../ui/states";
import { useTitle } from "../ui/title";
import { spanText } from "./draft";

export function RecipientsView() {
  useTitle(t("recipients.title"));
  const loaded = useLoad((signal) => request<Page<RecipientShown>>("/v1/recipients", { signal }), []);
  const found = loaded.value.value?.items;
  return (
    <>
      <RuleTabs />
      <header class="page-head">
        <h1>{t("recipients.title")}</h1>
        {mayEdit() ? (
          <a class="button button-main" href={links.recipient(NEW)}>
            {t("recipients.new")}
          </a>
        ) : null}
      </header>
      {found ? (
        found.length > 0 ? (
          <ul class="card plain rules">
            {found.map((each) => (
              <li key={each.recipient_id}>
                <a class="rule" href={links.recipient(each.recipient_id)}>
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
                </a>
              </li>
            ))}
          </ul>
        ) : (
          <Empty title={t("recipients.none")} text={t("recipients.none-next")} />
        )
      ) : loaded.failure.value ? (
        <Failed failure={loaded.failure.value} retry={loaded.reload} />
      ) : (
        <Loading />
      )}
    </>
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
