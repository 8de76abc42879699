/** Makes or changes a rule. */
import type { Kind, Rule, Severity } from "../api/types";
import { t } from "../i18n/language";
import { links } from "../router";
import { mayEdit } from "../session";
import { Edited, storedAt } from "../ui/edited";
import { EditFrame, useEditing } from "../ui/editing";
import { Check, Field, Select } from "../ui/field";
import { Remove } from "../ui/remove";
import { ProductChoice } from "./product-choice";
import { Preview } from "./preview";
import { bodyOf, draftOf, EMPTY, isForecast, problemsOf } from "./draft";

const COLLECTION = "/v1/rules";

export function RuleView({ id }: { id: string }) {
  return (
    <Edited<Rule>
      collection={COLLECTION}
      id={id}
      name={({ name }) => name}
      newTitle={t("rule.new-title")}
      form={(before, reload) => <Form before={before} reload={reload} />}
    />
  );
}

const KINDS: readonly Kind[] = ["limit", "silence", "rate", "stuck", "product"];
const FIELDS = {
  limit: ["below", "above", "hold", "margin"],
  silence: ["after"],
  rate: ["rising", "falling", "window", "hold", "margin"],
  stuck: ["after", "tolerance"],
  product: ["margin"],
} as const;
const SEVERITIES: readonly Severity[] = ["info", "warning", "critical"];

function Form({ before, reload }: { before: Rule | null; reload: () => void }) {
  const editing = useEditing({
    start: before ? draftOf(before) : EMPTY,
    problemsOf,
    sent: (draft) => ({ path: storedAt(COLLECTION, draft.rule_id), body: bodyOf(draft, before) }),
    version: before?.version ?? null,
    next: links.rules,
  });
  const { draft, text, change } = editing;
  const { kind, ahead, severity, enabled } = draft.value;
  return (
    <EditFrame
      editing={editing}
      title={before?.name ?? t("rule.new-title")}
      back={{ href: links.rules, text: t("rules.back") }}
      reload={before ? reload : null}
      more={before ? <Remove path={storedAt(COLLECTION, before.rule_id)} next={links.rules} /> : null}
    >
      <div class="grid">
        {before ? null : <Field label={t("rule.id")} {...text("rule_id")} hint={t("rule.id-hint")} />}
        <Field label={t("rule.name")} {...text("name")} hint={t("rule.name-hint")} />
        <Field label={t("rule.device")} {...text("device")} hint={t("rule.device-hint")} />
        <Field label={t("rule.metric")} {...text("metric")} hint={t("rule.metric-hint")} />
        <Field label={t("rule.labels")} {...text("labels")} hint={t("rule.labels-hint")} />
      </div>
      <fieldset>
        <legend>{t("rule.condition")}</legend>
        <div class="chips" role="group" aria-label={t("rule.condition")}>
          {KINDS.map((each) => (
            <button key={each} type="button" class="chip" aria-pressed={kind === each} onClick={() => change({ kind: each })}>
              {t(`kind.${each}`)}
            </button>
          ))}
        </div>
        <p class="hint">{t(`kind.${kind}-hint`)}</p>
        <div class="grid">
          {kind === "product" ? <ProductChoice {...text("product")} /> : null}
          {FIELDS[kind].map((field) => (
            <Field key={field} label={t(`rule.${field}`)} {...text(field)} hint={t(`rule.${field}-hint`)} numeric />
          ))}
        </div>
      </fieldset>
      {isForecast(kind) ? (
        <Check label={t("rule.warn-ahead")} value={ahead} change={(value) => change({ ahead: value })} />
      ) : null}
      <div class="grid">
        {ahead && isForecast(kind) ? <Field label={t("rule.probability")} {...text("probability")} numeric /> : null}
        <Select
          label={t("rule.severity")}
          name="severity"
          value={severity}
          options={SEVERITIES.map((each) => [each, t(`severity.${each}`)])}
          change={(value) => change({ severity: value as Severity })}
        />
      </div>
      {mayEdit() ? <Preview draft={draft.value} before={before} /> : null}
      <Field label={t("rule.sms")} {...text("sms")} hint={t("rule.sms-hint")} lines={3} />
      <Check label={t("rule.enabled")} value={enabled} change={(value) => change({ enabled: value })} />
    </EditFrame>
  );
}
