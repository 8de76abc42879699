/** Makes or changes a rule. */
import { request } from "../api/client";
import type { Kind, Rule, Severity } from "../api/types";
import { t } from "../i18n/language";
import { links, NEW } from "../router";
import { EditFrame, useEditing } from "../ui/editing";
import { Check, Field, Select } from "../ui/field";
import { useLoad } from "../ui/load";
import { Remove } from "../ui/remove";
import { Failed, Loading } from "../ui/states";
import { useTitle } from "../ui/title";
import { Preview } from "./preview";
import { bodyOf, draftOf, EMPTY, isForecast, problemsOf } from "./draft";

export function RuleView({ id }: { id: string }) {
  const loaded = useLoad<Rule | "new">(async (signal) => (id === NEW ? "new" : await request<Rule>(at(id), { signal })), [id]);
  const rule = loaded.value.value;
  useTitle(rule && rule !== "new" ? rule.name : t("rule.new-title"));
  if (!rule) {
    return loaded.failure.value ? <Failed failure={loaded.failure.value} retry={loaded.reload} /> : <Loading rows={6} />;
  }
  const before = rule === "new" ? null : rule;
  return <Form key={before ? `${before.rule_id} ${before.version}` : NEW} before={before} reload={loaded.reload} />;
}

function at(id: string): string {
  return `/v1/rules/${encodeURIComponent(id)}`;
}

const KINDS: readonly Kind[] = ["limit", "silence", "rate", "stuck", "product"];
const FIELDS = {
  limit: ["below", "above", "hold", "margin"],
  silence: ["after"],
  rate: ["rising", "falling", "window", "hold", "margin"],
  stuck: ["after", "tolerance"],
  product: ["product", "margin"],
} as const;
const SEVERITIES: readonly Severity[] = ["info", "warning", "critical"];

function Form({ before, reload }: { before: Rule | null; reload: () => void }) {
  const editing = useEditing({
    start: before ? draftOf(before) : EMPTY,
    problemsOf,
    sent: (draft) => ({ path: at(draft.rule_id), body: bodyOf(draft, before) }),
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
      more={before ? <Remove path={at(before.rule_id)} next={links.rules} /> : null}
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
          {FIELDS[kind].map((field) => (
            <Field key={field} label={t(`rule.${field}`)} {...text(field)} hint={t(`rule.${field}-hint`)} numeric={field !== "product"} />
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
      {kind === "limit" ? <Preview draft={draft.value} /> : null}
      <Field label={t("rule.sms")} {...text("sms")} hint={t("rule.sms-hint")} lines={3} />
      <Check label={t("rule.enabled")} value={enabled} change={(value) => change({ enabled: value })} />
    </EditFrame>
  );
}
