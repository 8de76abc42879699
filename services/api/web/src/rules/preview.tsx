/** What a rule's limits would have met in the last week, before it is saved. */
import { useSignal } from "@preact/signals";
import { Failure, pages } from "../api/client";
import { loadAggregates } from "../api/history";
import type { Device } from "../api/types";
import { present } from "../clock";
import { duration, metricName, quantity } from "../i18n/format";
import { plural, t } from "../i18n/language";
import { links } from "../router";
import { failureText } from "../ui/states";
import { labelsIn } from "../ui/labels";
import { type Draft, problemsOf, typedLimits } from "./draft";
import { type Broken, brokenBy } from "./last-week";
import { watchesDraft } from "./match";

const WEEK_MS = 7 * 86_400_000;
/** Devices that one request may name. */
const MOST_DEVICES = 100;
const SHOWN = 8;

interface Found {
  broken: Broken[];
  devices: number;
  left: number;
}

export function Preview({ draft }: { draft: Draft }) {
  const found = useSignal<Found | null>(null);
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);
  async function look(): Promise<void> {
    const wrong = problemsOf(draft);
    found.value = null;
    problem.value = wrong.above || wrong.below || wrong.labels ? t("rule.check") : null;
    if (problem.value !== null) return;
    busy.value = true;
    try {
      found.value = await lastWeek(draft);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      problem.value = failureText(error);
    }
    busy.value = false;
  }
  return (
    <section class="preview" aria-labelledby="preview">
      <h2 id="preview">{t("preview.title")}</h2>
      <p class="hint">{t("preview.hint")}</p>
      <div class="actions">
        <button type="button" class="button" disabled={busy.value} onClick={() => void look()}>
          {t(busy.value ? "state.loading" : "preview.look")}
        </button>
      </div>
      <div role="status">{found.value ? <Said found={found.value} /> : null}</div>
      <p class="problem" role="alert">
        {problem.value}
      </p>
    </section>
  );
}

function Said({ found: { broken, devices, left } }: { found: Found }) {
  if (devices === 0) return <p>{t("preview.no-devices")}</p>;
  // A pattern may watch several metrics of one device.
  const outside = new Set(broken.map(({ device }) => device)).size;
  const several = new Set(broken.map(({ metric }) => metric)).size > 1;
  return (
    <>
      <p>
        <strong>{outside === 0 ? plural("preview.never", devices) : plural("preview.broken", outside, { total: devices })}</strong>
        {left > 0 ? ` ${t("preview.left", { count: left })}` : null}
      </p>
      <ul class="plain notices">
        {broken.slice(0, SHOWN).map((each) => (
          <li key={`${each.device}/${each.metric}`}>
            <a href={links.device(each.device, each.span)}>{several ? `${each.device}, ${metricName(each.metric)}` : each.device}</a>{" "}
            {t("preview.facts", {
              times: plural("preview.times", each.times),
              outside: duration(each.outside),
              furthest: quantity(each.furthest, each.unit),
            })}
          </li>
        ))}
        {broken.length > SHOWN ? <li>{t("fleet.and-more", { count: broken.length - SHOWN })}</li> : null}
      </ul>
    </>
  );
}

async function lastWeek(draft: Draft): Promise<Found> {
  const wanted = { device: draft.device.trim(), metric: draft.metric.trim(), labels: labelsIn(draft.labels) ?? {} };
  const watched: Device[] = [];
  for await (const page of pages<Device>("/v1/devices", { limit: 200 })) {
    watched.push(...page.items.filter((device) => Object.keys(device.metrics).some((metric) => watchesDraft(wanted, device, metric))));
  }
  const asked = watched.slice(0, MOST_DEVICES);
  if (asked.length === 0) return { broken: [], devices: 0, left: 0 };
  const metrics = [...new Set(asked.flatMap((device) => Object.keys(device.metrics).filter((metric) => watchesDraft(wanted, device, metric))))];
  const { below: low, above: high } = typedLimits(draft);
  const to = present();
  const range = { from: to - WEEK_MS, to, devices: asked.map(({ device }) => device), metrics };
  const { series } = await loadAggregates({ ...range, bucket: "hour", low, high }, AbortSignal.timeout(60_000));
  const broken = series.flatMap((each) => brokenBy(each, range, low, high) ?? []).sort((one, other) => other.outside - one.outside);
  return { broken, devices: asked.length, left: watched.length - asked.length };
}
