/** What people call devices, as far as the page has heard: incidents tell only their names in topics. */
import { effect, signal } from "@preact/signals";
import { Failure, pages } from "../api/client";
import type { Device } from "../api/types";
import { session } from "../session";

const names = signal<ReadonlyMap<string, string>>(new Map());
let asked = false;

/** Requests at most: whoever has more devices sees the names of those that the fleet has shown. */
const PAGES = 10;

// Another key may be another tenant's.
effect(() => {
  if (session.value.state === "signed-in") return;
  names.value = new Map();
  asked = false;
});

/** What people call a device, else its name in topics. */
export function called(device: string): string {
  return names.value.get(device) ?? device;
}

export function learnNames(devices: Iterable<{ device: string; name: string | null }>): void {
  const known = new Map(names.peek());
  for (const { device, name } of devices) {
    if (name) known.set(device, name);
    else known.delete(device);
  }
  const same = known.size === names.peek().size && [...known].every(([device, name]) => names.peek().get(device) === name);
  if (!same) names.value = known;
}

/** Ask for the names once, where nothing has told them yet. */
export async function loadNames(): Promise<void> {
  if (asked) return;
  asked = true;
  let count = 0;
  try {
    for await (const page of pages<Device>("/v1/devices", { limit: 200 })) {
      learnNames(page.items);
      count += 1;
      if (count >= PAGES) return;
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // What could not be asked is asked for by the next view; until then names in topics say enough.
    asked = false;
  }
}
