/** Loads something for a view, and again when asked to; what comes late for a view that is gone is dropped. */
import { type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Failure, isAbort } from "../api/client";

export interface Loaded<Value> {
  value: Signal<Value | null>;
  failure: Signal<Failure | null>;
  reload: () => void;
}

export function useLoad<Value>(load: (signal: AbortSignal) => Promise<Value>, on: readonly unknown[]): Loaded<Value> {
  const loaded = useMemo(() => {
    const value = signal<Value | null>(null);
    const failure = signal<Failure | null>(null);
    let running: AbortController | null = null;
    const run = async (): Promise<void> => {
      running?.abort();
      running = new AbortController();
      const { signal: aborted } = running;
      try {
        const answer = await load(aborted);
        if (aborted.aborted) return;
        value.value = answer;
        failure.value = null;
      } catch (error) {
        if (aborted.aborted || isAbort(error)) return;
        if (!(error instanceof Failure)) throw error;
        failure.value = error;
      }
    };
    return { value, failure, reload: () => void run(), stop: () => running?.abort() };
    // oxlint-disable-next-line exhaustive-deps -- what is loaded changes with `on`
  }, on);
  useEffect(() => {
    loaded.reload();
    return loaded.stop;
  }, [loaded]);
  return loaded;
}
