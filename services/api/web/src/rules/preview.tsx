/** What a rule would have done in the last day or week, before it is saved. */
import { useSignal } from "@preact/signals";
import { Failure, request } from "../api/client";
import type { LeadTimes, RehearsalResult, Rule } from "../api/types";
import type { Span } from "../chart/span";
import { present } from "../clock";
import { duration, number } from "../i18n/format";
import { plural, t } from "../i18n/language";
import { failureText } from "../ui/states";
import { bodyOf, type Draft, problemsOf } from "./draft";
import { PreviewPlots } from "./preview-plots";

const DAY_MS = 86_400_000;
const LENGTHS = { "24h": DAY_MS, "7d": 7 * DAY_MS } as const;
/** The service gives up a trial after a minute. */
const PATIENCE_MS = 90_000;
/** As many as a line of the plot can show. */
const POINTS = 300;

interface Found {
  result: RehearsalResult;
  span: Span;
}

export function Preview({ draft, before }: { draft: Draft; before: Rule | null }) {
  const found = useSignal<Found | null>(null);
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);

  async function look(length: keyof typeof LENGTHS): Promise<void> {
    // What the rule is called does not matter to what it does.
    const named = { ...draft, rule_id: draft.rule_id || "test", name: draft.name || "test" };
    found.value = null;
    problem.value = Object.keys(problemsOf(named)).length > 0 ? t("rule.check") : null;
    if (problem.value !== null) return;
    busy.value = true;
    const to = present();
    const span = { from: to - LENGTHS[length], to };
    try {
      const body = { rule: bodyOf(named, before), start: new Date(span.from).toISOString(), end: new Date(span.to).toISOString(), points: POINTS };
      const result = await request<RehearsalResult>("/v1/rules/test", { method: "POST", body, signal: AbortSignal.timeout(PATIENCE_MS) });
      found.value = { result, span };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      problem.value = failureText(error);
    } finally {
      busy.value = false;
    }
  }

  return (
    <section class="preview" aria-labelledby="preview">
      <h2 id="preview">{t("preview.title")}</h2>
      <p class="hint">{t("preview.hint")}</p>
      <div class="actions">
        {(Object.keys(LENGTHS) as (keyof typeof LENGTHS)[]).map((length) => (
          <button key={length} type="button" class="button" disabled={busy.value} onClick={() => void look(length)}>
            {t(`preview.look-${length}`)}
          </button>
        ))}
      </div>
      <div role="status">
        {busy.value ? <p class="hint">{t("preview.busy")}</p> : null}
        {found.value ? <Said {...found.value} /> : null}
      </div>
      <p class="problem" role="alert">
        {problem.value}
      </p>
    </section>
  );
}

function Said({ result, span }: Found) {
  if (result.devices === 0) return <p>{t("preview.no-devices")}</p>;
  return (
    <div class="preview-said">
      <p>
        <strong>{alertsText(result)}</strong>
      </p>
      {result.alerts > 0 ? (
        <dl class="preview-counts">
          {counts(result).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      ) : null}
      <PreviewPlots result={result} span={span} />
      <p class="hint">
        {t("preview.basis", { readings: result.readings, devices: result.devices, forecasts: result.forecasts })}{" "}
        {result.estimated_forecasts > 0 ? t("preview.estimated", { count: result.estimated_forecasts }) : null}
      </p>
    </div>
  );
}

function alertsText({ alerts, sms }: RehearsalResult): string {
  if (alerts === 0) return t("preview.no-alerts");
  const said = plural("preview.alerts", alerts);
  return sms > 0 ? t("preview.sms", { alerts: said, count: sms }) : t("preview.sms-none", { alerts: said });
}

function counts({ came_true: came, false_alarms: wrong, missed, lead_minutes: lead }: RehearsalResult): [string, string][] {
  const found: [string, string][] = [
    [t("preview.count-true"), number(came)],
    [t("preview.count-false"), number(wrong)],
    [t("preview.count-missed"), number(missed)],
  ];
  if (lead) found.push([t("preview.count-lead"), leadText(lead)]);
  return found;
}

function leadText({ least, median, greatest }: LeadTimes): string {
  return least === greatest ? long(median) : t("preview.lead", { median: long(median), least: long(least), greatest: long(greatest) });
}

function long(minutes: number): string {
  return duration(minutes * 60_000);
}
