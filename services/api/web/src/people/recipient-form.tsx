/** Makes or changes a recipient. */
import type { RecipientShown, Severity } from "../api/types";
import { t } from "../i18n/language";
import { links } from "../router";
import { Edited, storedAt } from "../ui/edited";
import { EditFrame, useEditing } from "../ui/editing";
import { Check, Field, Select } from "../ui/field";
import { Remove } from "../ui/remove";
import { bodyOf, draftOf, empty, problemsOf } from "./draft";

const COLLECTION = "/v1/recipients";

export function RecipientView({ id }: { id: string }) {
  return (
    <Edited<RecipientShown>
      collection={COLLECTION}
      id={id}
      name={({ name }) => name}
      newTitle={t("recipient.new-title")}
      form={(before, reload) => <Form before={before} reload={reload} />}
    />
  );
}

const SEVERITIES: readonly Severity[] = ["info", "warning", "critical"];

function Form({ before, reload }: { before: RecipientShown | null; reload: () => void }) {
  const editing = useEditing({
    start: before ? draftOf(before) : empty(),
    problemsOf,
    sent: (draft) => ({ path: storedAt(COLLECTION, draft.recipient_id), body: bodyOf(draft) }),
    version: before?.version ?? null,
    next: links.recipients,
  });
  const { draft, text, change } = editing;
  const { language, severity, overrides, enabled } = draft.value;
  return (
    <EditFrame
      editing={editing}
      title={before?.name ?? t("recipient.new-title")}
      back={{ href: links.recipients, text: t("recipients.back") }}
      reload={before ? reload : null}
      more={before ? <Remove path={storedAt(COLLECTION, before.recipient_id)} next={links.recipients} /> : null}
    >
      <div class="grid">
        {before ? null : <Field label={t("rule.id")} {...text("recipient_id")} hint={t("rule.id-hint")} />}
        <Field label={t("rule.name")} {...text("name")} />
        <Field label={t("recipient.roles")} {...text("roles")} hint={t("recipient.roles-hint")} />
      </div>
      <fieldset>
        <legend>{t("recipient.reach")}</legend>
        <div class="grid">
          <Field label={t("channel.sms")} {...text("sms")} hint={t("recipient.sms-hint")} />
          <Field label={t("channel.email")} {...text("email")} />
          <Field label={t("channel.slack")} {...text("slack")} hint={t("recipient.slack-hint")} />
          <Field label={t("channel.webhook")} {...text("webhook")} hint={t("recipient.webhook-hint")} />
          {draft.value.webhook.trim() ? (
            <Field label={t("recipient.secret")} {...text("secret")} hint={t(before?.webhook ? "recipient.secret-kept" : "recipient.secret-hint")} />
          ) : null}
          <Select
            label={t("app.language")}
            name="language"
            value={language}
            options={[
              ["en", "English"],
              ["de", "Deutsch"],
            ]}
            change={(value) => change({ language: value as "en" | "de" })}
          />
        </div>
      </fieldset>
      <fieldset>
        <legend>{t("recipient.when")}</legend>
        <div class="grid">
          <Field label={t("recipient.timezone")} {...text("timezone")} hint={t("recipient.timezone-hint")} />
          <Field label={t("recipient.schedule")} {...text("schedule")} hint={t("recipient.schedule-hint")} lines={2} />
          <Field label={t("recipient.quiet")} {...text("quiet")} hint={t("recipient.quiet-hint")} />
        </div>
        <Check label={t("recipient.overrides")} value={overrides} change={(value) => change({ overrides: value })} />
      </fieldset>
      <fieldset>
        <legend>{t("recipient.what")}</legend>
        <div class="grid">
          <Select
            label={t("recipient.severity")}
            name="severity"
            value={severity}
            options={SEVERITIES.map((each) => [each, t(`severity.${each}`)])}
            change={(value) => change({ severity: value as Severity })}
          />
          <Field label={t("rule.device")} {...text("device")} hint={t("rule.device-hint")} />
          <Field label={t("rule.labels")} {...text("labels")} hint={t("rule.labels-hint")} />
        </div>
      </fieldset>
      <Check label={t("recipient.enabled")} value={enabled} change={(value) => change({ enabled: value })} />
    </EditFrame>
  );
}
