/** The past: what each device came to in any range, how much of it was within limits, and files of it. */
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { ChartView } from "../chart/chart-view";
import { Legend } from "../chart/legend";
import type { ChartModel } from "../chart/model";
import type { Span } from "../chart/span";
import { inSteps, partOf } from "../device/readings";
import { dateTime, metricName, number, percent2, quantity, unitText } from "../i18n/format";
import { plural, t } from "../i18n/language";
import { links } from "../router";
import { Scroll } from "../ui/scroll";
import { Section } from "../ui/section";
import { Empty, Failed, failureText, Loading } from "../ui/states";
import { useTitle } from "../ui/title";
import { Asking } from "./asking";
import { Dashboard } from "./dashboard";
import { Files } from "./files";
import { History } from "./history";
import type { Summary } from "./summary";

export function HistoryView() {
  useTitle(t("nav.history"));
  const history = useMemo(() => new History(), []);
  useEffect(() => {
    void history.start();
    return () => history.stop();
  }, [history]);
  const devices = history.devices.value;
  if (!devices) {
    return history.failure.value ? <Failed failure={history.failure.value} retry={() => void history.start()} /> : <Loading rows={6} />;
  }
  if (devices.length === 0) return <Empty title={t("fleet.none")} />;
  return (
    <>
      <header class="page-head">
        <h1>{t("nav.history")}</h1>
        <Files history={history} />
      </header>
      <Asking history={history} />
      {history.failure.value ? <p class="banner banner-lost">{failureText(history.failure.value)}</p> : null}
      {history.series.value ? <Answer history={history} /> : history.loading.value ? <Loading rows={8} /> : null}
      <Dashboard />
    </>
  );
}

function Answer({ history }: { history: History }) {
  const summaries = history.summaries.value;
  if (summaries.length === 0) return <Empty title={t("device.no-readings")} />;
  return (
    <div class={history.loading.value ? "aside dimmed" : "aside"} aria-busy={history.loading.value}>
      <Total history={history} summaries={summaries} />
      <Summaries history={history} summaries={summaries} />
      <Course history={history} />
    </div>
  );
}

/** What a manager asks first: was everything within limits? */
function Total({ history, summaries }: { history: History; summaries: Summary[] }) {
  const judged = summaries.filter(({ inside }) => inside !== null);
  if (judged.length === 0) return <p class="hint">{t("history.no-limits")}</p>;
  const outside = judged.filter(({ inside }) => (inside ?? 1) < 1);
  const kind = outside.length === 0 ? "fine" : "predicted";
  return (
    <div class={`headline headline-${kind}`}>
      <h2>{outside.length === 0 ? plural("history.all-inside", judged.length) : plural("history.some-outside", outside.length, { total: judged.length })}</h2>
      <p>{`${metricName(history.metric.value)} · ${dateTime(history.span.value.from)} – ${dateTime(history.span.value.to)}`}</p>
    </div>
  );
}

function Summaries({ history, summaries }: { history: History; summaries: Summary[] }) {
  const unit = unitText(summaries[0]?.unit ?? "");
  return (
    <Scroll class="card table-scroll" label={t("history.summary")}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t("fleet.column-device")}</th>
            <th scope="col">{t("history.inside")}</th>
            <th scope="col">{`${t("history.min")} ${unit}`}</th>
            <th scope="col">{`${t("chart.mean")} ${unit}`}</th>
            <th scope="col">{`${t("history.max")} ${unit}`}</th>
            <th scope="col">
              <abbr title={t("history.mkt-long")}>{t("history.mkt")}</abbr> {unit}
            </th>
            <th scope="col">{t("history.count")}</th>
          </tr>
        </thead>
        <tbody>
          {summaries.map((each) => (
            <tr key={`${each.device} ${each.unit}`} class={each.device === history.chosen.value ? "chosen" : ""}>
              <th scope="row">
                <button type="button" class="link" aria-pressed={each.device === history.chosen.value} onClick={() => (history.chosen.value = each.device)}>
                  {each.device}
                </button>
              </th>
              <td class={each.inside !== null && each.inside < 1 ? "bad" : ""}>{each.inside === null ? "–" : percent2(each.inside)}</td>
              <td>{number(each.min, 1)}</td>
              <td>{number(each.mean, 1)}</td>
              <td>{number(each.max, 1)}</td>
              <td>{each.mkt === null ? "–" : number(each.mkt, 1)}</td>
              <td>{number(each.count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** The chosen device hour by hour or day by day. */
function Course({ history }: { history: History }) {
  const moved = useSignal<Span | null>(null);
  const device = history.chosen.value ?? "";
  const model = useComputed<ChartModel>(() => {
    const series = history.series.value?.find((each) => each.device === history.chosen.value);
    const step = history.bucket() === "day" ? 86_400_000 : 3_600_000;
    return {
      panels: [
        {
          metric: history.metric.value,
          unit: series?.unit ?? "",
          ...inSteps((series?.buckets ?? []).map(partOf), step),
          forecast: null,
          limits: [history.low.value, history.high.value].filter((limit) => limit !== null),
        },
      ],
      marked: [],
      line: null,
      ...(moved.value ?? history.span.value),
    };
  });
  const buckets = history.series.value?.find((each) => each.device === device)?.buckets ?? [];
  const unit = model.value.panels[0]?.unit ?? "";
  return (
    <Section
      id="course"
      title={device}
      class="chart-card"
      end={
        <a class="button" href={links.device(device, history.span.value)}>
          {t("incident.to-device", { device })}
        </a>
      }
    >
      <ChartView
        model={model.value}
        label={`${metricName(history.metric.value)}, ${device}`}
        move={(to) => (moved.value = to)}
        home={() => (moved.value = null)}
      />
      <Legend model={model.value} />
      <details class="values">
        <summary>{t("chart.table")}</summary>
        <Scroll class="values-scroll" label={t("chart.table")}>
          <table>
            <thead>
              <tr>
                {["chart.time", "history.inside", "history.min", "history.p05", "history.p50", "history.p95", "history.max", "history.mkt"].map((key) => (
                  <th key={key} scope="col">
                    {t(key as "chart.time")}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {buckets.map((bucket) => (
                <tr key={bucket.start}>
                  <th scope="row">{dateTime(Date.parse(bucket.start))}</th>
                  <td>{bucket.inside === null ? "–" : percent2(bucket.inside)}</td>
                  {[bucket.min, bucket.p05, bucket.p50, bucket.p95, bucket.max, bucket.mkt].map((value, at) => (
                    <td key={at}>{value === null ? "–" : quantity(value, unit)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
    </Section>
  );
}
