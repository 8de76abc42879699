/** Makes or changes an escalation. */
import type { Escalation } from "../api/types";
import { t } from "../i18n/language";
import { links } from "../router";
import { Edited, storedAt } from "../ui/edited";
import { EditFrame, useEditing } from "../ui/editing";
import { Choices, Field } from "../ui/field";
import { Remove } from "../ui/remove";
import { bodyOf, draftOf, EMPTY, problemsOf, SEVERITIES, WAYS } from "./draft";
import { Steps } from "./steps";

const COLLECTION = "/v1/escalations";

export function EscalationView({ id }: { id: string }) {
  return (
    <Edited<Escalation>
      collection={COLLECTION}
      id={id}
      name={({ escalation_id: name }) => name}
      newTitle={t("escalation.new-title")}
      form={(before, reload) => <Form before={before} reload={reload} />}
    />
  );
}

function Form({ before, reload }: { before: Escalation | null; reload: () => void }) {
  const editing = useEditing({
    start: before ? draftOf(before) : EMPTY,
    problemsOf,
    sent: (draft) => ({ path: storedAt(COLLECTION, draft.escalation_id), body: bodyOf(draft) }),
    version: before?.version ?? null,
    next: links.escalations,
  });
  const { draft, text, change, problems } = editing;
  const { severities, steps, repeat, updates } = draft.value;
  return (
    <EditFrame
      editing={editing}
      title={before?.escalation_id ?? t("escalation.new-title")}
      back={{ href: links.escalations, text: t("escalations.back") }}
      reload={before ? reload : null}
      more={before ? <Remove path={storedAt(COLLECTION, before.escalation_id)} next={links.escalations} /> : null}
    >
      {before ? null : <Field label={t("rule.id")} {...text("escalation_id")} hint={t("rule.id-hint")} />}
      <fieldset>
        <legend>{t("escalation.which")}</legend>
        <div class="grid">
          <Field label={t("escalation.rule")} {...text("rule")} hint={t("escalation.rule-hint")} />
          <Field label={t("rule.device")} {...text("device")} hint={t("rule.device-hint")} />
          <Field label={t("rule.labels")} {...text("labels")} hint={t("rule.labels-hint")} />
        </div>
        <Choices
          legend={t("escalation.severities")}
          options={SEVERITIES.map((each) => [each, t(`severity.${each}`)])}
          chosen={severities}
          change={(chosen) => change({ severities: chosen })}
        />
        <p class="problem">{problems.severities ? t(problems.severities.key) : null}</p>
      </fieldset>
      <Steps steps={steps} change={(changed) => change({ steps: changed })} problem={problems.steps ? t(problems.steps.key) : null} />
      <fieldset>
        <legend>{t("escalation.then")}</legend>
        <div class="grid">
          <Field label={t("escalation.repeat")} {...text("repeat")} hint={t("escalation.repeat-hint")} numeric />
          {repeat.trim() ? <Field label={t("escalation.times")} {...text("times")} numeric /> : null}
        </div>
        <Choices
          legend={t("escalation.updates")}
          options={WAYS.map((way) => [way, t(`channel.${way}`)])}
          chosen={updates}
          change={(chosen) => change({ updates: chosen })}
        />
      </fieldset>
      <fieldset>
        <legend>{t("escalation.together")}</legend>
        <div class="grid">
          <Field label={t("escalation.group")} {...text("group")} hint={t("escalation.group-hint")} />
          <Field label={t("escalation.interval")} {...text("interval")} hint={t("escalation.interval-hint")} numeric />
        </div>
      </fieldset>
    </EditFrame>
  );
}
