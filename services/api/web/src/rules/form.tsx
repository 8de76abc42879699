/** Makes or changes a rule; a change that somebody else made meanwhile is not undone unseen. */
import { useComputed, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { Failure, request } from "../api/client";
import type { Rule, Severity } from "../api/types";
import { t } from "../i18n/language";
import { go, links } from "../router";
import { mayEdit } from "../session";
import { useLoad } from "../ui/load";
import { Failed, failureText, Loading } from "../ui/states";
import { useTitle } from "../ui/title";
import { bodyOf, type Draft, draftOf, EMPTY, problemsOf } from "./draft";
import { Field } from "./field";
import { NEW } from "./list";

export function RuleView({ id }: { id: string }) {
  const loaded = useLoad<Rule | "new">(
    async (signal) => (id === NEW ? "new" : await request<Rule>(`/v1/rules/${encodeURIComponent(id)}`, { signal })),
    [id],
  );
  const rule = loaded.value.value;
  useTitle(rule && rule !== "new" ? rule.name : t("rule.new-title"));
  if (!rule) {
    return loaded.failure.value ? <Failed failure={loaded.failure.value} retry={loaded.reload} /> : <Loading rows={6} />;
  }
  const before = rule === "new" ? null : rule;
  return <Form key={before ? `${before.rule_id} ${before.version}` : NEW} before={before} reload={loaded.reload} />;
}

const SEVERITIES: readonly Severity[] = ["info", "warning", "critical"];

function Form({ before, reload }: { before: Rule | null; reload: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const draft = useSignal<Draft>(before ? draftOf(before) : EMPTY);
  const tried = useSignal(false);
  const saving = useSignal(false);
  const failure = useSignal<Failure | null>(null);
  const problems = useComputed(() => (tried.value ? problemsOf(draft.value) : {}));
  const change = (part: Partial<Draft>) => {
    draft.value = { ...draft.value, ...part };
  };
  const text = (field: keyof Draft, hint?: "rule.id-hint") => ({
    name: field,
    value: String(draft.value[field]),
    problem: problems.value[field],
    change: (value: string) => change({ [field]: value }),
    ...(hint ? { hint: t(hint) } : {}),
  });

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    tried.value = true;
    const wrong = Object.keys(problemsOf(draft.value))[0];
    if (wrong) {
      form.current?.querySelector<HTMLElement>(`[name="${wrong}"]`)?.focus();
      return;
    }
    saving.value = true;
    failure.value = null;
    try {
      const headers: Record<string, string> = before ? { "If-Match": `"${before.version}"` } : {};
      const address = `/v1/rules/${encodeURIComponent(draft.value.rule_id)}`;
      await request<Rule>(address, { method: "PUT", body: bodyOf(draft.value, before), headers });
      go(links.rules);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failure.value = error;
    } finally {
      saving.value = false;
    }
  }

  return (
    <form ref={form} class="card form" onSubmit={(event) => void submit(event)} noValidate>
      <p class="crumb">
        <a href={links.rules}>{t("rules.back")}</a>
      </p>
      <h1>{before ? before.name : t("rule.new-title")}</h1>
      <div class="grid">
        {before ? null : <Field label={t("rule.id")} {...text("rule_id", "rule.id-hint")} />}
        <Field label={t("rule.name")} {...text("name")} hint={t("rule.name-hint")} />
        <Field label={t("rule.device")} {...text("device")} hint={t("rule.device-hint")} />
        <Field label={t("rule.metric")} {...text("metric")} hint={t("rule.metric-hint")} />
      </div>
      <fieldset>
        <legend>{t("rule.limits")}</legend>
        <div class="grid">
          <Field label={t("rule.below")} {...text("below")} numeric />
          <Field label={t("rule.above")} {...text("above")} hint={t("rule.limit-hint")} numeric />
          <Field label={t("rule.hold")} {...text("hold")} hint={t("rule.hold-hint")} numeric />
          <Field label={t("rule.margin")} {...text("margin")} hint={t("rule.margin-hint")} numeric />
        </div>
      </fieldset>
      <label class="check">
        <input
          type="checkbox"
          checked={draft.value.ahead}
          onChange={(event) => change({ ahead: event.currentTarget.checked })}
        />
        {t("rule.warn-ahead")}
      </label>
      <div class="grid">
        {draft.value.ahead ? <Field label={t("rule.probability")} {...text("probability")} numeric /> : null}
        <div>
          <label for="severity">{t("rule.severity")}</label>
          <select
            id="severity"
            class="field"
            value={draft.value.severity}
            onChange={(event) => change({ severity: event.currentTarget.value as Severity })}
          >
            {SEVERITIES.map((severity) => (
              <option key={severity} value={severity}>
                {t(`severity.${severity}`)}
              </option>
            ))}
          </select>
        </div>
      </div>
      <Field label={t("rule.sms")} {...text("sms")} hint={t("rule.sms-hint")} lines={3} />
      <label class="check">
        <input
          type="checkbox"
          checked={draft.value.enabled}
          onChange={(event) => change({ enabled: event.currentTarget.checked })}
        />
        {t("rule.enabled")}
      </label>
      <p class="problem" role="alert">
        {problemText(failure.value, before) ?? (Object.keys(problems.value).length > 0 ? t("rule.check") : null)}
      </p>
      <div class="actions">
        <button type="submit" class="button button-main" disabled={saving.value || !mayEdit()}>
          {t(saving.value ? "rule.saving" : "rule.save")}
        </button>
        {failure.value?.kind === "conflict" && before ? (
          <button type="button" class="button" onClick={reload}>
            {t("rule.load-theirs")}
          </button>
        ) : null}
        <a class="button" href={links.rules}>
          {t("rule.cancel")}
        </a>
      </div>
      {mayEdit() ? null : <p class="hint">{t("rule.read-only")}</p>}
    </form>
  );
}

function problemText(failure: Failure | null, before: Rule | null): string | null {
  if (!failure) return null;
  if (failure.kind === "conflict") return t(before ? "rule.conflict" : "rule.exists");
  return failureText(failure);
}
