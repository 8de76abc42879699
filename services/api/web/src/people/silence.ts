/** Silences: for a time, nobody is told of what they match. */
import { request } from "../api/client";
import type { Incident, Page, Silence, SilenceBody } from "../api/types";
import { present } from "../clock";
import { matches } from "../rules/match";

export async function loadSilences(signal?: AbortSignal): Promise<Silence[]> {
  return (await request<Page<Silence>>("/v1/silences", signal ? { signal } : {})).items;
}

export async function silence(body: SilenceBody): Promise<Silence> {
  const id = `page-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
  return await request<Silence>(`/v1/silences/${id}`, { method: "PUT", body });
}

export async function endSilence(each: Silence): Promise<void> {
  await request(`/v1/silences/${encodeURIComponent(each.silence_id)}`, { method: "DELETE" });
}

/** From now on, for so many milliseconds. */
export function lasting(milliseconds: number): { start: string; end: string } {
  const start = present();
  return { start: new Date(start).toISOString(), end: new Date(start + milliseconds).toISOString() };
}

/** Whether a silence is in force and keeps an incident quiet; labels are not looked at, so it may keep quiet more. */
export function covers(each: Silence, { device, metric, rule_id }: Incident, now: number): boolean {
  return (
    Date.parse(each.start) <= now &&
    now < Date.parse(each.end) &&
    Object.keys(each.labels).length === 0 &&
    matches(each.device, device) &&
    matches(each.metric, metric) &&
    matches(each.rule, rule_id)
  );
}
