/** How the pipeline is: what lags, what was refused, and whether the forecasts can be trusted. */
import { useEffect } from "preact/hooks";
import { request } from "../api/client";
import type { ModelStatus, PipelineStatus, QueueStatus, SkillReport } from "../api/types";
import { now } from "../clock";
import { duration, metricName, number, relative, share } from "../i18n/format";
import { known, plural, t } from "../i18n/language";
import { mayEdit } from "../session";
import { useLoad } from "../ui/load";
import { Scroll } from "../ui/scroll";
import { Section } from "../ui/section";
import { Failed, failureText, Loading } from "../ui/states";
import { useTitle } from "../ui/title";
import { troubles, type Trouble } from "./health";
import { Quarantine } from "./quarantine";

const EVERY_MS = 10_000;

export function StatusView() {
  useTitle(t("nav.status"));
  const status = useLoad((signal) => request<PipelineStatus>("/v1/status", { signal }), []);
  const skill = useLoad((signal) => request<SkillReport>("/v1/forecasts/skill?hours=168", { signal }), []);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || status.reload(), EVERY_MS);
    return () => clearInterval(timer);
  }, [status]);
  const found = status.value.value;
  if (!found) {
    return status.failure.value ? <Failed failure={status.failure.value} retry={status.reload} /> : <Loading rows={6} />;
  }
  return (
    <>
      <Headline found={troubles(found)} />
      {status.failure.value ? <p class="banner banner-lost">{failureText(status.failure.value)}</p> : null}
      <Figures status={found} />
      <div class="columns">
        <div class="aside-wide">
          <Queues queues={found.queues} />
          {mayEdit() ? <Quarantine count={found.quarantined} changed={status.reload} /> : null}
        </div>
        <div class="aside">
          <Skill report={skill.value.value} />
          <Models models={found.models} used={found.forecasts.models} />
        </div>
      </div>
    </>
  );
}

function Headline({ found }: { found: Trouble[] }) {
  const bad = found.some(({ kind }) => kind === "no-readings" || kind === "dead-letters");
  const kind = bad ? "out" : found.length > 0 ? "predicted" : "fine";
  return (
    <header class={`headline headline-${kind}`}>
      <h1>{found.length === 0 ? t("status.well") : plural("status.troubles", found.length)}</h1>
      {found.length === 0 ? <p>{t("status.well-more")}</p> : null}
      <ul class="plain">
        {found.map((trouble) => (
          <li key={troubleText(trouble)}>{troubleText(trouble)}</li>
        ))}
      </ul>
    </header>
  );
}

function troubleText(trouble: Trouble): string {
  switch (trouble.kind) {
    case "no-readings":
      return t("status.no-readings");
    case "dead-letters":
      return plural("status.dead-letters", trouble.count, { queue: queueName(trouble.queue) });
    case "slow-queue":
      return t("status.slow-queue", { queue: queueName(trouble.queue), age: duration(trouble.seconds * 1000) });
    case "silent":
      return plural("status.silent-devices", trouble.count);
    case "stale-forecasts":
      return plural("status.stale", trouble.count);
    case "quarantine":
      return plural("status.quarantined", trouble.count);
  }
}

function queueName(queue: string): string {
  return queue.replace(/-/g, " ");
}

function Figures({ status }: { status: PipelineStatus }) {
  const { readings, forecasts } = status;
  const at = Date.parse(status.now);
  const ago = (time: string | null): string => (time === null ? "–" : relative(Date.parse(time), Math.max(at, Date.parse(time))));
  const waiting = status.queues.reduce((sum, queue) => sum + queue.waiting + queue.in_work, 0);
  const figures: [string, string][] = [
    [t("status.reporting"), t("status.of", { part: readings.reporting, whole: readings.devices })],
    [t("status.newest-reading"), ago(readings.newest_at)],
    [t("status.fresh"), t("status.of", { part: forecasts.fresh, whole: forecasts.series })],
    [t("status.newest-forecast"), ago(forecasts.newest_at)],
    [t("status.waiting"), number(waiting)],
  ];
  return (
    <dl class="figures">
      {figures.map(([name, value]) => (
        <div key={name} class="card figure">
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Queues({ queues }: { queues: QueueStatus[] }) {
  return (
    <Section id="queues" title={t("status.queues")}>
      <Scroll class="table-scroll" label={t("status.queues")}>
        <table class="table">
          <thead>
            <tr>
              <th scope="col">{t("status.queue")}</th>
              <th scope="col">{t("status.queue-waiting")}</th>
              <th scope="col" class="roomy">
                {t("status.queue-in-work")}
              </th>
              <th scope="col">{t("status.queue-oldest")}</th>
              <th scope="col">{t("status.queue-dead")}</th>
            </tr>
          </thead>
          <tbody>
            {queues.map((queue) => (
              <tr key={queue.queue}>
                <th scope="row">
                  {known(`queue.${queue.queue}`, queueName(queue.queue))}
                  <span class="queue-name">{queue.queue}</span>
                </th>
                <td>{number(queue.waiting)}</td>
                <td class="roomy">{number(queue.in_work)}</td>
                <td>{queue.oldest_seconds ? duration(queue.oldest_seconds * 1000) : "–"}</td>
                <td class={queue.dead_letters > 0 ? "bad" : ""}>{number(queue.dead_letters)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Section>
  );
}

/** How the forecasts of the last week did. */
function Skill({ report }: { report: SkillReport | null }) {
  const metrics = report?.metrics.filter(({ forecasts }) => forecasts > 0) ?? [];
  return (
    <Section id="skill" title={t("skill.title")}>
      {metrics.length === 0 ? <p>{t("skill.none")}</p> : null}
      {metrics.map((each) => (
        <div key={each.metric} class="skill">
          <h3>{metricName(each.metric)}</h3>
          <p>
            {[
              each.coverage === null ? "" : t("skill.coverage", { share: share(each.coverage) }),
              each.wql_relative === null ? "" : betterText(each.wql_relative),
              each.precision === null ? "" : t("skill.precision", { share: share(each.precision), count: each.warnings }),
              each.recall === null ? "" : t("skill.recall", { share: share(each.recall), count: each.breaches }),
              each.median_lead_minutes === null ? "" : t("skill.lead", { lead: duration(each.median_lead_minutes * 60_000) }),
            ].join(" ")}
          </p>
        </div>
      ))}
    </Section>
  );
}

function betterText(relativeLoss: number): string {
  return relativeLoss <= 1
    ? t("skill.better", { share: share(1 - relativeLoss) })
    : t("skill.worse", { share: share(relativeLoss - 1) });
}

function Models({ models, used }: { models: ModelStatus[]; used: Record<string, number> }) {
  return (
    <Section id="models" title={t("status.models")}>
      <ul class="plain models">
        {Object.entries(used).map(([model, count]) => (
          <li key={model}>
            <strong>{model}</strong> <span class="hint">{plural("status.model-series", count)}</span>
          </li>
        ))}
      </ul>
      {models.map((model) => (
        <p key={model.model_id} class="hint">
          {t("status.trained", {
            metric: metricName(model.metric),
            to: relative(Date.parse(model.trained_to), now.value),
            better: betterText(model.relative_loss),
            coverage: share(model.coverage),
          })}
        </p>
      ))}
    </Section>
  );
}
