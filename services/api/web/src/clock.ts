/** The present, as the service has it: a laptop's clock may be minutes off, and ages must not be. */
import { signal } from "@preact/signals";

let ahead = 0;

/** Milliseconds since 1970 UTC, moving on every second while the page is looked at. */
export const now = signal(Date.now());

export function present(): number {
  return Date.now() + ahead;
}

/** Learn the service's time from one of its answers. */
export function learnTime(serverTime: string): void {
  ahead = Date.parse(serverTime) - Date.now();
  // Within a few seconds the difference is the way of the answer, not the clock.
  if (Math.abs(ahead) < 3000) ahead = 0;
  now.value = present();
}

export function startClock(): void {
  setInterval(() => {
    if (!document.hidden) now.value = present();
  }, 1000);
  document.addEventListener("visibilitychange", () => {
    now.value = present();
  });
}
