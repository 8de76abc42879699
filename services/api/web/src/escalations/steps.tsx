/** The steps of an escalation: who is told when, and by which ways. */
import { t } from "../i18n/language";
import { Choices, Field } from "../ui/field";
import { type DraftStep, MOST_STEPS, WAYS, withStep } from "./draft";

interface Props {
  steps: DraftStep[];
  change: (steps: DraftStep[]) => void;
  problem: string | null;
}

export function Steps({ steps, change, problem }: Props) {
  const put = (at: number, part: Partial<DraftStep>): void => change(steps.map((step, each) => (each === at ? { ...step, ...part } : step)));
  return (
    <fieldset>
      <legend>{t("escalation.steps")}</legend>
      <p class="hint">{t("escalation.steps-hint")}</p>
      <ol class="plain steps-list">
        {steps.map((step, at) => (
          <li key={at} class="step" aria-label={t("escalation.step", { number: at + 1 })}>
            <div class="grid">
              {at === 0 ? (
                <p class="step-first">{t("escalation.after-first")}</p>
              ) : (
                <Field label={t("escalation.after")} name={at === 1 ? "steps" : `after-${at}`} value={step.after} change={(after) => put(at, { after })} numeric />
              )}
              <Field label={t("escalation.roles")} name={`roles-${at}`} value={step.roles} change={(roles) => put(at, { roles })} hint={t("escalation.roles-hint")} />
            </div>
            <Choices
              legend={t("escalation.ways")}
              options={WAYS.map((way) => [way, t(`channel.${way}`)])}
              chosen={step.ways}
              change={(ways) => put(at, { ways })}
              hint={t("escalation.ways-hint")}
            />
            {steps.length > 1 && at > 0 ? (
              <button type="button" class="button button-small" onClick={() => change(steps.filter((_, each) => each !== at))}>
                {t("escalation.step-remove", { number: at + 1 })}
              </button>
            ) : null}
          </li>
        ))}
      </ol>
      <p class="problem" role="alert">
        {problem}
      </p>
      {steps.length < MOST_STEPS ? (
        <div class="actions">
          <button type="button" class="button button-small" onClick={() => change(withStep(steps))}>
            {t("escalation.step-add")}
          </button>
        </div>
      ) : null}
    </fieldset>
  );
}
