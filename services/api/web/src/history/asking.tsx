/** What is asked of the past: range, metric, devices, limits. */
import { metricName } from "../i18n/format";
import { t } from "../i18n/language";
import { type History, type Length, LENGTHS } from "./history";

export function Asking({ history }: { history: History }) {
  const labels = [...new Set((history.devices.value ?? []).flatMap(({ labels: all }) => Object.entries(all).map((each) => each.join(": "))))].sort();
  const { from, to } = history.span.value;
  return (
    <form class="card asking" onSubmit={(event) => event.preventDefault()}>
      <div class="chips" role="group" aria-label={t("device.range")}>
        {(Object.keys(LENGTHS) as Length[]).map((length) => (
          <button key={length} type="button" class="chip" aria-pressed={history.length.value === length} onClick={() => history.choose(length)}>
            {t(`history.length-${length}`)}
          </button>
        ))}
      </div>
      <label>
        {t("history.from")}
        <input type="datetime-local" class="field" value={local(from)} onChange={(event) => history.between({ from: millis(event.currentTarget.value, from), to })} />
      </label>
      <label>
        {t("history.to")}
        <input type="datetime-local" class="field" value={local(to)} onChange={(event) => history.between({ from, to: millis(event.currentTarget.value, to) })} />
      </label>
      <label>
        {t("rule.metric")}
        <select class="field" value={history.metric.value} onChange={(event) => history.measure(event.currentTarget.value)}>
          {history.metrics.value.map((metric) => (
            <option key={metric} value={metric}>
              {metricName(metric)}
            </option>
          ))}
        </select>
      </label>
      {labels.length > 0 ? (
        <label>
          {t("history.devices")}
          <select
            class="field"
            value={history.label.value}
            onChange={(event) => {
              history.label.value = event.currentTarget.value;
              void history.load();
            }}
          >
            <option value="">{t("fleet.all")}</option>
            {labels.map((label) => (
              <option key={label} value={label}>
                {label}
              </option>
            ))}
          </select>
        </label>
      ) : null}
      <Limit label={t("rule.below")} value={history.low.value} change={(value) => (history.low.value = value)} done={() => void history.load()} />
      <Limit label={t("rule.above")} value={history.high.value} change={(value) => (history.high.value = value)} done={() => void history.load()} />
    </form>
  );
}

interface LimitProps {
  label: string;
  value: number | null;
  change: (value: number | null) => void;
  done: () => void;
}

function Limit({ label, value, change, done }: LimitProps) {
  return (
    <label>
      {label}
      <input
        type="number"
        step="any"
        class="field field-short"
        value={value ?? ""}
        onChange={(event) => {
          const { valueAsNumber } = event.currentTarget;
          change(Number.isNaN(valueAsNumber) ? null : valueAsNumber);
          done();
        }}
      />
    </label>
  );
}

/** As a field for local times wants it. */
function local(at: number): string {
  const shifted = at - new Date(at).getTimezoneOffset() * 60_000;
  return new Date(shifted).toISOString().slice(0, 16);
}

function millis(text: string, before: number): number {
  const at = new Date(text).getTime();
  return Number.isNaN(at) ? before : at;
}
