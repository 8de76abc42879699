/** Labels of a device while they are being edited. */
import { request } from "../api/client";
import type { Device } from "../api/types";
import type { Key } from "../i18n/language";

const LABEL = /^[a-z][a-z0-9_-]{0,31}$/;

/** What people call a device, else its name in topics. */
export function nameOf({ device, name }: { device: string; name: string | null }): string {
  return name ?? device;
}

export interface Row {
  label: string;
  value: string;
}

export interface Draft {
  name: string;
  rows: Row[];
}

export function draftOf({ name, labels }: Device): Draft {
  return { name: name ?? "", rows: Object.entries(labels).map(([label, value]) => ({ label, value })) };
}

/** What is wrong with a draft; null where it can be saved. Rows that are wholly empty are left out. */
export function problemOf({ rows }: Draft): Key | null {
  const filled = rows.filter(({ label, value }) => label.trim() !== "" || value.trim() !== "");
  const names = filled.map(({ label }) => label.trim());
  if (!names.every((label) => LABEL.test(label))) return "labels.error-name";
  if (new Set(names).size < names.length) return "labels.error-twice";
  return filled.some(({ value }) => value.trim() === "") ? "rule.error-required" : null;
}

/** The labels that change, as the service wants them: null takes one away. */
export function changesOf(labels: Record<string, string>, rows: readonly Row[]): Record<string, string | null> {
  const wanted = new Map(rows.map(({ label, value }) => [label.trim(), value.trim()]).filter((row): row is [string, string] => row[0] !== ""));
  const changes: Record<string, string | null> = {};
  for (const [label, value] of wanted) if (labels[label] !== value) changes[label] = value;
  for (const label of Object.keys(labels)) if (!wanted.has(label)) changes[label] = null;
  return changes;
}

export async function saveLabels({ device, labels, labels_version: version }: Device, { name, rows }: Draft): Promise<void> {
  await request(`/v1/devices/${encodeURIComponent(device)}/labels`, {
    method: "PATCH",
    body: { name: name.trim() || null, labels: changesOf(labels, rows) },
    headers: { "If-Match": `"${version}"` },
  });
}
