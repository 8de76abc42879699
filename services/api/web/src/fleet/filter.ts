/** Which devices of the fleet are shown; the address remembers it, so that it can be kept and passed on. */
import { effect, signal } from "@preact/signals";
import type { FleetDevice } from "../api/types";
import { type Ranked, type Status, STATUSES } from "./status";

const LABEL = "label.";

export class Filter {
  readonly text = signal("");
  readonly status = signal<Status | null>(null);
  /** By label the value that a device must have. */
  readonly labels = signal<Record<string, string>>({});
  private readonly unwatch: () => void;

  constructor(search: string) {
    const asked = new URLSearchParams(search);
    this.text.value = asked.get("q") ?? "";
    this.status.value = STATUSES.find((each) => each === asked.get("state")) ?? null;
    this.labels.value = Object.fromEntries(
      [...asked].filter(([name]) => name.startsWith(LABEL)).map(([name, value]) => [name.slice(LABEL.length), value]),
    );
    this.unwatch = effect(() => history.replaceState(history.state, "", this.address()));
  }

  stop(): void {
    this.unwatch();
  }

  clear(): void {
    this.text.value = "";
    this.status.value = null;
    this.labels.value = {};
  }

  /** Keep only devices whose label has this value; an empty one keeps all. */
  keep(label: string, value: string): void {
    const { [label]: _, ...others } = this.labels.peek();
    this.labels.value = value === "" ? others : { ...others, [label]: value };
  }

  shows({ status }: Ranked, device: FleetDevice): boolean {
    if (this.status.value !== null && status !== this.status.value) return false;
    if (!Object.entries(this.labels.value).every(([label, value]) => device.labels[label] === value)) return false;
    const wanted = this.text.value.trim().toLowerCase();
    if (!wanted) return true;
    const said = [device.device, device.name ?? "", ...Object.entries(device.labels).map((label) => label.join(" "))];
    return said.some((text) => text.toLowerCase().includes(wanted));
  }

  private address(): string {
    const query = new URLSearchParams(Object.entries(this.labels.value).map(([label, value]) => [LABEL + label, value]));
    if (this.text.value) query.set("q", this.text.value);
    if (this.status.value) query.set("state", this.status.value);
    return query.size > 0 ? `/?${query}` : "/";
  }
}

/** The labels that tell devices apart, with the values they have. */
export function labelValues(devices: Iterable<FleetDevice>): [label: string, values: string[]][] {
  const found = new Map<string, Set<string>>();
  for (const { labels } of devices) {
    for (const [label, value] of Object.entries(labels)) found.set(label, (found.get(label) ?? new Set()).add(value));
  }
  return [...found]
    .filter(([, values]) => values.size > 1)
    .map(([label, values]): [string, string[]] => [label, [...values].sort()])
    .sort(([one], [other]) => (one < other ? -1 : 1));
}
