/** Labels of a device while they are being edited. */
import { request } from "../api/client";
import type { Device } from "../api/types";
import type { Key } from "../i18n/language";

/** The label that holds what people call a device. */
export const NAME = "name";
const LABEL = /^[a-z][a-z0-9_-]{0,31}$/;

/** What people call a device: the label `name`, else its own. */
export function nameOf({ device, labels }: { device: string; labels: Record<string, string> }): string {
  return labels[NAME] ?? device;
}

/** The labels beside the name. */
export function otherLabels(labels: Record<string, string>): [label: string, value: string][] {
  return Object.entries(labels).filter(([label]) => label !== NAME);
}

export interface Row {
  label: string;
  value: string;
}

export interface Draft {
  name: string;
  rows: Row[];
}

export function draftOf({ labels }: Device): Draft {
  return { name: labels[NAME] ?? "", rows: otherLabels(labels).map(([label, value]) => ({ label, value })) };
}

/** What is wrong with a draft; null where it can be saved. Rows that are wholly empty are left out. */
export function problemOf({ rows }: Draft): Key | null {
  const filled = rows.filter(({ label, value }) => label.trim() !== "" || value.trim() !== "");
  const names = filled.map(({ label }) => label.trim());
  if (!names.every((label) => LABEL.test(label) && label !== NAME)) return "labels.error-name";
  if (new Set(names).size < names.length) return "labels.error-twice";
  return filled.some(({ value }) => value.trim() === "") ? "rule.error-required" : null;
}

/** What has to change, as the service wants it: null takes a label away. */
export function changesOf(device: Device, { name, rows }: Draft): Record<string, string | null> {
  const wanted = new Map<string, string>();
  for (const { label, value } of [{ label: NAME, value: name }, ...rows]) {
    if (label.trim() !== "" && value.trim() !== "") wanted.set(label.trim(), value.trim());
  }
  const changes: Record<string, string | null> = {};
  for (const [label, value] of wanted) if (device.labels[label] !== value) changes[label] = value;
  for (const label of Object.keys(device.labels)) if (!wanted.has(label)) changes[label] = null;
  return changes;
}

export async function saveLabels(device: Device, draft: Draft): Promise<void> {
  const labels = changesOf(device, draft);
  if (Object.keys(labels).length === 0) return;
  await request(`/v1/devices/${encodeURIComponent(device.device)}/labels`, {
    method: "PATCH",
    body: { labels },
    headers: { "If-Match": `"${device.labels_version}"` },
  });
}
