/** What broke a rule or is about to: open ones first, then what is over. */
import { signal, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Failure, isAbort, path, request } from "../api/client";
import type { Incident, Page } from "../api/types";
import { t } from "../i18n/language";
import { loadNames } from "../device/names";
import { LiveStream } from "../live/stream";
import { Empty, Failed, Loading } from "../ui/states";
import { useTitle } from "../ui/title";
import { IncidentRow } from "./row";
import { isLive } from "./wording";

type Which = "open" | "all";

class IncidentList {
  readonly items = signal<Incident[] | null>(null);
  readonly next = signal<string | null>(null);
  readonly failure = signal<Failure | null>(null);
  private readonly stopped = new AbortController();
  private readonly stream: LiveStream;

  constructor(private readonly which: Which) {
    this.stream = new LiveStream(
      { kinds: ["incident"] },
      {
        connected: (again) => again && void this.load(),
        reset: () => void this.load(),
        dropped: () => void this.load(),
        incident: (incident) => this.take(incident),
      },
    );
    void this.load();
  }

  stop(): void {
    this.stopped.abort();
    this.stream.stop();
  }

  async load(cursor: string | null = null): Promise<void> {
    const states = this.which === "open" ? "/v1/incidents?state=open&state=acknowledged" : "/v1/incidents";
    try {
      const page = await request<Page<Incident>>(path(states, { limit: 50, cursor }), {
        signal: this.stopped.signal,
      });
      this.items.value = cursor ? [...(this.items.peek() ?? []), ...page.items] : page.items;
      this.next.value = page.next_cursor;
      this.failure.value = null;
    } catch (error) {
      if (isAbort(error)) return;
      if (!(error instanceof Failure)) throw error;
      this.failure.value = error;
    }
  }

  private take(incident: Incident): void {
    const items = this.items.peek();
    if (!items) return;
    const others = items.filter((each) => each.incident_id !== incident.incident_id);
    const wanted = incident.state !== "pending" && (this.which === "all" || isLive(incident));
    this.items.value = (wanted ? [incident, ...others] : others).sort(newestFirst);
  }
}

function newestFirst(one: Incident, other: Incident): number {
  return one.incident_id < other.incident_id ? 1 : -1;
}

export function IncidentsView() {
  useTitle(t("incidents.title"));
  useEffect(() => void loadNames(), []);
  const which = useSignal<Which>("open");
  return (
    <>
      <header class="page-head">
        <h1>{t("incidents.title")}</h1>
        <div class="chips" role="group" aria-label={t("fleet.show")}>
          {(["open", "all"] as const).map((each) => (
            <button
              key={each}
              type="button"
              class="chip"
              aria-pressed={which.value === each}
              onClick={() => (which.value = each)}
            >
              {t(`incidents.${each}`)}
            </button>
          ))}
        </div>
      </header>
      <List key={which.value} which={which.value} />
    </>
  );
}

function List({ which }: { which: Which }) {
  const list = useMemo(() => new IncidentList(which), [which]);
  useEffect(() => () => list.stop(), [list]);
  const items = list.items.value;
  if (!items) {
    return list.failure.value ? (
      <Failed failure={list.failure.value} retry={() => void list.load()} />
    ) : (
      <Loading rows={5} />
    );
  }
  if (items.length === 0) {
    return which === "open" ? (
      <Empty title={t("incidents.none-open")} text={t("incidents.none-open-next")} />
    ) : (
      <Empty title={t("incidents.none")} text={t("incidents.none-open-next")} />
    );
  }
  return (
    <>
      <ul class="card plain incidents">
        {items.map((incident) => (
          <IncidentRow key={incident.incident_id} incident={incident} />
        ))}
      </ul>
      {list.next.value ? (
        <button type="button" class="button" onClick={() => void list.load(list.next.peek())}>
          {t("incidents.more")}
        </button>
      ) : null}
    </>
  );
}
