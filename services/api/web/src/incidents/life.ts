/** What people do about an incident, and what has happened to it so far. */
import { request, send } from "../api/client";
import type { Incident, IncidentEntry, Page } from "../api/types";

function at(incident: string): string {
  return `/v1/incidents/${encodeURIComponent(incident)}`;
}

export async function acknowledge(incident: string, note: string): Promise<Incident> {
  return await send<Incident>(`${at(incident)}/acknowledge`, note.trim() ? { note: note.trim() } : {});
}

export async function comment(incident: string, note: string): Promise<IncidentEntry> {
  return await send<IncidentEntry>(`${at(incident)}/comments`, { note: note.trim() });
}

/** Oldest first. */
export async function loadHistory(incident: string, signal: AbortSignal): Promise<IncidentEntry[]> {
  return (await request<Page<IncidentEntry>>(`${at(incident)}/history`, { signal })).items;
}
