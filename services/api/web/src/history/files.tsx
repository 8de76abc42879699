/** Saves every reading of what is asked as a file. */
import { useSignal } from "@preact/signals";
import { Failure } from "../api/client";
import { historyPath } from "../api/history";
import { save } from "../api/save";
import { t } from "../i18n/language";
import { failureText } from "../ui/states";
import type { History } from "./history";

const FORMATS = ["csv", "parquet", "arrow"] as const;

export function Files({ history }: { history: History }) {
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);
  async function get(format: (typeof FORMATS)[number]): Promise<void> {
    busy.value = true;
    problem.value = null;
    const asked = { devices: history.asked.value.map(({ device }) => device), metrics: [history.metric.value], ...history.span.value };
    try {
      await save(historyPath("export", asked, { format }));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      problem.value = failureText(error);
    }
    busy.value = false;
  }
  return (
    <div class="chips files" role="group" aria-labelledby="files">
      <span id="files" class="hint">
        {t("history.files")}
      </span>
      <span class="problem" role="alert">
        {problem.value}
      </span>
      {FORMATS.map((format) => (
        <button key={format} type="button" class="button" disabled={busy.value || !history.series.value} onClick={() => void get(format)}>
          {t("history.save", { format: format === "csv" ? "CSV" : format === "arrow" ? "Arrow" : "Parquet" })}
        </button>
      ))}
    </div>
  );
}
