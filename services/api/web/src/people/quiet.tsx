/** Keeps an incident quiet for a while, and tells until when it is. */
import { useSignal } from "@preact/signals";
import { Failure } from "../api/client";
import type { Incident, Silence } from "../api/types";
import { now } from "../clock";
import { duration, time } from "../i18n/format";
import { t } from "../i18n/language";
import { useLoad } from "../ui/load";
import { failureText } from "../ui/states";
import { covers, endSilence, lasting, loadSilences, silence } from "./silence";

const HOUR = 3_600_000;
const LENGTHS = [HOUR, 4 * HOUR, 24 * HOUR] as const;

export function Quiet({ incident }: { incident: Incident }) {
  const loaded = useLoad(loadSilences, []);
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);
  const active = loaded.value.value?.filter((each) => covers(each, incident, now.value)) ?? [];

  async function run(work: () => Promise<unknown>): Promise<void> {
    busy.value = true;
    problem.value = null;
    try {
      await work();
      loaded.reload();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      problem.value = failureText(error);
    }
    busy.value = false;
  }

  const quiet = (length: number): Promise<Silence> => {
    const { device, metric, rule_id: rule } = incident;
    return silence({ device, metric, rule, labels: {}, ...lasting(length), reason: t("silence.reason-page") });
  };

  if (!loaded.value.value) return null;
  return (
    <div class="quiet">
      {active.map((each) => (
        <p key={each.silence_id} class="quiet-now">
          {t("silence.until", { time: time(Date.parse(each.end), now.value), by: each.created_by })}
          <button type="button" class="button button-small" disabled={busy.value} onClick={() => void run(() => endSilence(each))}>
            {t("silence.end")}
          </button>
        </p>
      ))}
      {active.length === 0 && incident.state !== "resolved" ? (
        <div class="chips" role="group" aria-label={t("silence.for")}>
          <span class="quiet-for hint">{t("silence.for")}</span>
          {LENGTHS.map((length) => (
            <button key={length} type="button" class="button button-small" disabled={busy.value} onClick={() => void run(() => quiet(length))}>
              {duration(length)}
            </button>
          ))}
        </div>
      ) : null}
      <p class="problem" role="alert">
        {problem.value}
      </p>
    </div>
  );
}
