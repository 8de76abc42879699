/** What is kept quiet now or later, and making it so: maintenance, a defrosting, a truck in the workshop. */
import { useSignal } from "@preact/signals";
import { Failure } from "../api/client";
import type { Silence } from "../api/types";
import { now } from "../clock";
import { dateTime } from "../i18n/format";
import { t } from "../i18n/language";
import { RuleTabs } from "../rules/tabs";
import { mayEdit } from "../session";
import { Field, Select } from "../ui/field";
import { labelsIn } from "../ui/labels";
import { useLoad } from "../ui/load";
import { Empty, Failed, failureText, Loading } from "../ui/states";
import { useTitle } from "../ui/title";
import { endSilence, lasting, loadSilences, silence } from "./silence";

const HOUR = 3_600_000;
const LENGTHS: Record<string, number> = { "1h": HOUR, "4h": 4 * HOUR, "24h": 24 * HOUR, "7d": 168 * HOUR };

export function SilencesView() {
  useTitle(t("silences.title"));
  const loaded = useLoad(loadSilences, []);
  const found = loaded.value.value?.filter(({ end }) => Date.parse(end) > now.value);
  return (
    <>
      <RuleTabs />
      <header class="page-head">
        <h1>{t("silences.title")}</h1>
      </header>
      {mayEdit() ? <Make made={loaded.reload} /> : null}
      {found ? (
        found.length > 0 ? (
          <ul class="card plain rules">
            {found.map((each) => (
              <Row key={each.silence_id} silence={each} ended={loaded.reload} />
            ))}
          </ul>
        ) : (
          <Empty title={t("silences.none")} text={t("silences.none-next")} />
        )
      ) : loaded.failure.value ? (
        <Failed failure={loaded.failure.value} retry={loaded.reload} />
      ) : (
        <Loading />
      )}
    </>
  );
}

function Row({ silence: each, ended }: { silence: Silence; ended: () => void }) {
  const problem = useSignal<string | null>(null);
  async function end(): Promise<void> {
    try {
      await endSilence(each);
      ended();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      problem.value = failureText(error);
    }
  }
  const matchers = [each.device, each.metric, each.rule].filter((pattern) => pattern !== "*");
  return (
    <li class="rule">
      <span class="rule-name">{[...matchers, ...Object.entries(each.labels).map((label) => label.join(": "))].join(" · ")}</span>
      {mayEdit() ? (
        <button type="button" class="button button-small" onClick={() => void end()}>
          {t("silence.end")}
        </button>
      ) : null}
      <span class="rule-says">{each.reason}</span>
      <span class="rule-facts">{`${dateTime(Date.parse(each.start))} – ${dateTime(Date.parse(each.end))} · ${each.created_by}`}</span>
      <span class="problem" role="alert">
        {problem.value}
      </span>
    </li>
  );
}

function Make({ made }: { made: () => void }) {
  const device = useSignal("");
  const labels = useSignal("");
  const reason = useSignal("");
  const length = useSignal("4h");
  const problem = useSignal<string | null>(null);
  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const wanted = labelsIn(labels.value);
    problem.value = wanted === null ? t("rule.error-labels") : !device.value.trim() && !labels.value.trim() ? t("silence.error-what") : !reason.value.trim() ? t("silence.error-why") : null;
    if (problem.value !== null || wanted === null) return;
    try {
      await silence({ device: device.value.trim() || "*", metric: "*", rule: "*", labels: wanted, reason: reason.value.trim(), ...lasting(LENGTHS[length.value] ?? HOUR) });
      [device.value, labels.value, reason.value] = ["", "", ""];
      made();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      problem.value = failureText(error);
    }
  }
  return (
    <form class="card section" onSubmit={(event) => void submit(event)} noValidate>
      <h2>{t("silence.new")}</h2>
      <div class="grid">
        <Field label={t("rule.device")} name="device" value={device.value} change={(value) => (device.value = value)} hint={t("rule.device-hint")} />
        <Field label={t("rule.labels")} name="labels" value={labels.value} change={(value) => (labels.value = value)} hint={t("rule.labels-hint")} />
        <Select
          label={t("silence.how-long")}
          name="length"
          value={length.value}
          options={Object.keys(LENGTHS).map((each) => [each, t(`silence.length-${each}` as "silence.length-1h")])}
          change={(value) => (length.value = value)}
        />
        <Field label={t("silence.reason")} name="reason" value={reason.value} change={(value) => (reason.value = value)} hint={t("silence.reason-hint")} />
      </div>
      <p class="problem" role="alert">
        {problem.value}
      </p>
      <div class="actions">
        <button type="submit" class="button button-main">
          {t("silence.make")}
        </button>
      </div>
    </form>
  );
}
