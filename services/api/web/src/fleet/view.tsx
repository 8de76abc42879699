/** The fleet: how it is in one sentence, then every device, worst first. */
import { useComputed } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { FleetDevice } from "../api/types";
import { now } from "../clock";
import { labelName, relative } from "../i18n/format";
import { plural, t } from "../i18n/language";
import { headline } from "../incidents/wording";
import { links, query } from "../router";
import { session } from "../session";
import { Empty, Failed, Loading } from "../ui/states";
import { useTitle } from "../ui/title";
import { Filter, labelValues } from "./filter";
import { Fleet } from "./fleet";
import { FleetRow } from "./row";
import { type Ranked, type Status, STATUSES } from "./status";

/** Incidents that the headline tells of; the rows tell of the others. */
const SAID = 3;
/** Rows that come and go together. */
const BLOCK = 20;

export function FleetView() {
  useTitle(t("fleet.title"));
  const fleet = useMemo(() => new Fleet(), []);
  useEffect(() => () => fleet.stop(), [fleet]);
  const filter = useMemo(() => new Filter(query.peek()), []);
  useEffect(() => () => filter.stop(), [filter]);
  const counts = useComputed(() => countByStatus(fleet.ranked.value));
  const devices = useComputed(() => fleet.ranked.value.flatMap(({ name }) => fleet.device(name)?.peek() ?? []));
  const labels = useComputed(() => labelValues(devices.value));
  const shown = useComputed(() =>
    fleet.ranked.value.filter((each) => {
      const device = fleet.device(each.name)?.peek();
      return device && filter.shows(each, device);
    }),
  );
  const total = fleet.ranked.value.length;
  if (total === 0) {
    if (fleet.loading.value) return <Loading rows={8} />;
    if (fleet.failure.value) return <Failed failure={fleet.failure.value} retry={() => void fleet.reload()} />;
    const tenant = session.value.state === "signed-in" ? session.value.me.tenant : "";
    return <Empty title={t("fleet.none")} text={t("fleet.none-next", { tenant })} />;
  }
  return (
    <>
      <Headline counts={counts.value} ranked={fleet.ranked.value} fleet={fleet} />
      <div class="toolbar">
        <input
          class="field search"
          type="search"
          aria-label={t("fleet.filter")}
          placeholder={t("fleet.filter-hint")}
          value={filter.text.value}
          onInput={(event) => {
            filter.text.value = event.currentTarget.value;
          }}
        />
        {labels.value.map(([label, values]) => (
          <select
            key={label}
            class="field label-choice"
            aria-label={t("fleet.by-label", { label: labelName(label) })}
            value={filter.labels.value[label] ?? ""}
            onChange={(event) => filter.keep(label, event.currentTarget.value)}
          >
            <option value="">{t("fleet.any-label", { label: labelName(label) })}</option>
            {values.map((value) => (
              <option key={value} value={value}>
                {`${labelName(label)}: ${value}`}
              </option>
            ))}
          </select>
        ))}
        <div class="chips" role="group" aria-label={t("fleet.show")}>
          <Chip chosen={filter.status.value === null} choose={() => (filter.status.value = null)} label={`${t("fleet.all")} ${total}`} />
          {STATUSES.filter((each) => counts.value[each] > 0 || filter.status.value === each).map((each) => (
            <Chip
              key={each}
              kind={each}
              chosen={filter.status.value === each}
              choose={() => (filter.status.value = filter.status.value === each ? null : each)}
              label={t(`status.${each}-count`, { count: counts.value[each] })}
            />
          ))}
        </div>
        <span class="hidden" role="status">
          {t("fleet.count", { shown: shown.value.length, count: total })}
        </span>
      </div>
      {shown.value.length === 0 ? (
        <Empty
          title={t("fleet.nothing-found")}
          action={t("fleet.clear")}
          act={() => filter.clear()}
        />
      ) : (
        <div class="card rows">
          <div class="row-head" aria-hidden="true">
            <span>{t("fleet.column-device")}</span>
            <span />
            <span class="row-value">{t("fleet.column-value")}</span>
            <span>{t("fleet.column-hour")}</span>
            <span>{t("fleet.column-risk")}</span>
            <span class="row-age">{t("fleet.column-age")}</span>
          </div>
          <div role="list">
            {inBlocks(shown.value).map((block, at) => (
              <div key={at} class="block" role="presentation">
                {block.map(({ name }) => {
                  const device = fleet.device(name);
                  return device ? <FleetRow key={name} device={device} /> : null;
                })}
              </div>
            ))}
          </div>
        </div>
      )}
    </>
  );
}

/** Rows by blocks: a block that is far from the screen costs no layout and no paint, and the fewer there are the better. */
function inBlocks(ranked: readonly Ranked[]): Ranked[][] {
  const count = Math.ceil(ranked.length / BLOCK);
  return Array.from({ length: count }, (_, at) => ranked.slice(at * BLOCK, (at + 1) * BLOCK));
}

interface ChipProps {
  label: string;
  chosen: boolean;
  choose: () => void;
  kind?: Status;
}

function Chip({ label, chosen, choose, kind }: ChipProps) {
  return (
    <button type="button" class={`chip ${kind ? `chip-${kind}` : ""}`} aria-pressed={chosen} onClick={choose}>
      {label}
    </button>
  );
}

function Trouble({ device }: { device: FleetDevice }) {
  const { incident, risk } = device;
  if (!incident) return null;
  // The newest forecast knows better than the one that opened the incident.
  const newer = risk && risk.metric === incident.metric && risk.side === incident.side ? risk.expected_at : null;
  const expected = Date.parse(newer ?? incident.expected_at ?? "");
  const ahead = incident.basis === "predicted" && expected > now.value;
  return (
    <li>
      <a href={links.incident(incident.incident_id)}>{headline(incident)}</a>
      {ahead ? `, ${relative(expected, now.value)}` : null}
      {incident.acknowledged_by ? ` – ${t("fleet.seen-to", { by: incident.acknowledged_by })}` : null}
    </li>
  );
}

interface HeadlineProps {
  counts: Record<Status, number>;
  ranked: Ranked[];
  fleet: Fleet;
}

function Headline({ counts, ranked, fleet }: HeadlineProps) {
  const troubled = ranked.filter(({ status }) => status === "out" || status === "predicted");
  const alone = troubled.filter(({ seen }) => !seen).length;
  const kind = counts.out > 0 ? "out" : counts.predicted > 0 ? "predicted" : counts.silent > 0 ? "silent" : "fine";
  const details = STATUSES.filter((each) => counts[each] > 0).map((each) =>
    t(`status.${each}-count`, { count: counts[each] }),
  );
  return (
    <header class={`headline headline-${kind}`}>
      <h1>{headlineText(alone, troubled.length - alone, counts.silent, ranked.length)}</h1>
      {troubled.length > 0 ? (
        <ul class="plain">
          {troubled
            .slice(0, SAID)
            .flatMap(({ name }) => fleet.device(name)?.peek() ?? [])
            .map((device) => (
              <Trouble key={device.device} device={device} />
            ))}
          {troubled.length > SAID ? <li>{t("fleet.and-more", { count: troubled.length - SAID })}</li> : null}
        </ul>
      ) : (
        <p>{kind === "fine" && counts.watch === 0 ? plural("fleet.watching", ranked.length) : details.join(" · ")}</p>
      )}
    </header>
  );
}

function headlineText(alone: number, seenTo: number, silent: number, total: number): string {
  if (alone > 0) return plural("fleet.attention", alone);
  if (seenTo > 0) return plural("fleet.all-seen-to", seenTo);
  return silent > 0 ? plural("fleet.silent-only", silent) : plural("fleet.all-fine", total);
}

function countByStatus(ranked: Ranked[]): Record<Status, number> {
  const counts: Record<Status, number> = { out: 0, predicted: 0, watch: 0, silent: 0, fine: 0 };
  for (const each of ranked) counts[each.status] += 1;
  return counts;
}
