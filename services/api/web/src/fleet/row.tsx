/** One device of the fleet. It is drawn anew when its own signal changes, whatever the others do, and it is in sight. */
import { computed, type Signal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import type { FleetDevice } from "../api/types";
import { now } from "../clock";
import { nameOf } from "../device/labels";
import { clock, limit, metricName, percent, valueOf } from "../i18n/format";
import { t } from "../i18n/language";
import { links } from "../router";
import { Age } from "../ui/age";
import { useNear } from "../ui/near";
import { StatusBadge } from "../ui/status-badge";
import { Sparkline } from "./sparkline";
import { riskOf, statusOf, WATCH_FROM } from "./status";

export function FleetRow({ device }: { device: Signal<FleetDevice> }) {
  const element = useRef<HTMLDivElement>(null);
  const near = useNear(element);
  const seen = useMemo(() => computed(() => (near.value ? device.value : device.peek())), [device]);
  const status = useMemo(() => computed(() => statusOf(seen.value, near.value ? now.value : now.peek())), [device]);
  const shown = seen.value;
  const name = nameOf(shown);
  const labels = [name === shown.device ? "" : shown.device, ...Object.values(shown.labels)].filter((each) => each !== "");
  const seenTo = shown.incident?.acknowledged_by;
  return (
    <div ref={element} class={`row row-${status.value}`} role="listitem">
      <a class="row-link" href={links.device(shown.device)}>
        <span class="row-name">
          <span class="row-device">{name}</span>
          <span class="row-labels">{labels.length > 0 ? labels.join(" · ") : metricName(shown.metric)}</span>
        </span>
        <span class="row-state">
          <StatusBadge status={status.value} />
          {seenTo ? <span class="row-seen">{t("fleet.seen-to", { by: seenTo })}</span> : null}
        </span>
        <span class={`row-value ${isOutside(shown) ? "row-outside" : ""}`}>{valueOf(shown.metric, shown.value, shown.unit)}</span>
        <Sparkline values={shown.sparkline.values} unit={shown.unit} threshold={thresholdOf(shown)} />
        <Risk device={shown} />
        <Age class="row-age" of={shown.ts} going={near} />
      </a>
    </div>
  );
}

/** The limit worth drawing: the one that is left, or may be. */
function thresholdOf(device: FleetDevice): number | null {
  if (device.incident?.metric === device.metric) return device.incident.threshold;
  const { risk } = device;
  return risk && risk.metric === device.metric && risk.probability >= WATCH_FROM ? risk.threshold : null;
}

/** Whether the value is beyond the limit now, even if not yet for as long as the rule asks for. */
function isOutside(device: FleetDevice): boolean {
  const limits = [device.incident, device.risk].filter((each) => each?.metric === device.metric);
  return limits.some((each) => each && (each.side === "above" ? device.value > each.threshold : device.value < each.threshold));
}

function Risk({ device }: { device: FleetDevice }) {
  const risk = riskOf(device, now.peek());
  if (!risk) return <span class="risk risk-none">{t("fleet.no-risk")}</span>;
  const shown = percent(risk.probability);
  const level = risk.probability >= 0.7 ? "high" : risk.probability >= WATCH_FROM ? "some" : "low";
  return (
    <span class={`risk risk-${level}`}>
      <span class="hidden">{t("fleet.risk-label", { probability: shown })}</span>
      <span class="risk-number" aria-hidden="true">
        {shown}
      </span>
      <span class="risk-bar" aria-hidden="true">
        <span style={{ width: `${Math.max(2, Math.round(risk.probability * 100))}%` }} />
      </span>
      {level === "low" || device.incident?.basis === "observed" ? null : <span class="risk-when">{whenText(device, risk)}</span>}
    </span>
  );
}

function whenText(device: FleetDevice, risk: NonNullable<FleetDevice["risk"]>): string {
  const unit = risk.metric === device.metric ? device.unit : "";
  const where = limit(risk.side, risk.threshold, unit);
  return risk.expected_at ? t("fleet.expected", { limit: where, time: clock(Date.parse(risk.expected_at)) }) : where;
}
