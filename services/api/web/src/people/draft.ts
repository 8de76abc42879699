/** A recipient while they are being edited: texts as typed, checked as the service will check them. */
import type { Day, DaySpan, RecipientBody, RecipientShown, Severity } from "../api/types";
import { language } from "../i18n/language";
import type { Problems } from "../ui/editing";
import { labelsIn, labelsText } from "../ui/labels";
import { ID, listIn } from "../ui/typed";

export interface Draft {
  recipient_id: string;
  name: string;
  roles: string;
  sms: string;
  email: string;
  webhook: string;
  secret: string;
  slack: string;
  language: "en" | "de";
  timezone: string;
  schedule: string;
  quiet: string;
  overrides: boolean;
  severity: Severity;
  device: string;
  labels: string;
  enabled: boolean;
}

export const DAYS: readonly Day[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const PHONE = /^\+[1-9][0-9]{6,14}$/;
const ROLE = /^[a-z][a-z0-9_-]{0,31}$/;
const SPAN = /^(?:([a-z, -]+?)\s+)?([01]?\d|2[0-3]):([0-5]\d)\s*[-–]\s*([01]?\d|2[0-3]):([0-5]\d)$/;

export function empty(): Draft {
  return {
    recipient_id: "",
    name: "",
    roles: "manager",
    sms: "",
    email: "",
    webhook: "",
    secret: "",
    slack: "",
    language: language.peek(),
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    schedule: "",
    quiet: "",
    overrides: true,
    severity: "info",
    device: "*",
    labels: "",
    enabled: true,
  };
}

export function draftOf(known: RecipientShown): Draft {
  return {
    recipient_id: known.recipient_id,
    name: known.name,
    roles: known.roles.join(", "),
    sms: known.sms ?? "",
    email: known.email ?? "",
    webhook: known.webhook?.url ?? "",
    secret: "",
    slack: known.slack ?? "",
    language: known.language,
    timezone: known.timezone,
    schedule: known.schedule.map(spanText).join("\n"),
    quiet: known.quiet_hours ? spanText(known.quiet_hours) : "",
    overrides: known.critical_overrides,
    severity: known.min_severity,
    device: known.device,
    labels: labelsText(known.labels),
    enabled: known.enabled,
  };
}

export function problemsOf(draft: Draft): Problems<Draft> {
  const problems: Problems<Draft> = {};
  for (const field of ["name", "roles", "timezone", "device"] as const) {
    if (draft[field].trim() === "") problems[field] = { key: "rule.error-required" };
  }
  if (!ID.test(draft.recipient_id)) problems.recipient_id = { key: "rule.error-id" };
  if (!rolesIn(draft.roles).every((role) => ROLE.test(role))) problems.roles = { key: "recipient.error-roles" };
  const phone = phoneIn(draft.sms);
  if (phone && !PHONE.test(phone)) problems.sms = { key: "rule.error-phone", number: phone };
  if (draft.email.trim() && !/^\S+@\S+\.\S+$/.test(draft.email.trim())) problems.email = { key: "recipient.error-email" };
  for (const field of ["webhook", "slack"] as const) {
    if (draft[field].trim() && !/^https?:\/\/\S+$/.test(draft[field].trim())) problems[field] = { key: "recipient.error-url" };
  }
  if (![phone, draft.email, draft.webhook, draft.slack].some((way) => way.trim())) problems.sms = { key: "recipient.error-reach" };
  if (labelsIn(draft.labels) === null) problems.labels = { key: "rule.error-labels" };
  if (spansIn(draft.schedule) === null) problems.schedule = { key: "recipient.error-span" };
  const quiet = spansIn(draft.quiet);
  if (quiet === null || quiet.length > 1) problems.quiet = { key: "recipient.error-span" };
  return problems;
}

export function bodyOf(draft: Draft): RecipientBody {
  return {
    name: draft.name.trim(),
    roles: rolesIn(draft.roles),
    sms: orNull(phoneIn(draft.sms)),
    email: orNull(draft.email),
    webhook: draft.webhook.trim() ? { url: draft.webhook.trim(), secret: orNull(draft.secret) } : null,
    slack: orNull(draft.slack),
    language: draft.language,
    timezone: draft.timezone.trim(),
    schedule: spansIn(draft.schedule) ?? [],
    quiet_hours: spansIn(draft.quiet)?.[0] ?? null,
    critical_overrides: draft.overrides,
    min_severity: draft.severity,
    device: draft.device.trim(),
    labels: labelsIn(draft.labels) ?? {},
    enabled: draft.enabled,
  };
}

function orNull(typed: string): string | null {
  return typed.trim() || null;
}

function rolesIn(typed: string): string[] {
  return listIn(typed.toLowerCase());
}

function phoneIn(typed: string): string {
  return typed.replace(/[\s()/-]/g, "");
}

/** `mon-fri 08:00-17:00`, or without days for every day. */
export function spanText({ start, end, days }: DaySpan): string {
  return days.length === DAYS.length ? `${start}-${end}` : `${daysText(days)} ${start}-${end}`;
}

function daysText(days: readonly Day[]): string {
  const at = days.map((day) => DAYS.indexOf(day)).sort((one, other) => one - other);
  const [first, last] = [at[0] ?? 0, at.at(-1) ?? 0];
  return at.length > 2 && last - first === at.length - 1 ? `${DAYS[first]}-${DAYS[last]}` : at.map((day) => DAYS[day]).join(" ");
}

/** One span a line; null where a line is none. */
export function spansIn(typed: string): DaySpan[] | null {
  const spans: DaySpan[] = [];
  for (const line of typed.toLowerCase().split("\n").map((each) => each.trim())) {
    if (line === "") continue;
    const found = SPAN.exec(line);
    const days = found ? daysIn(found[1] ?? "") : null;
    if (!found || !days) return null;
    const [start, end] = [`${found[2]?.padStart(2, "0")}:${found[3]}`, `${found[4]?.padStart(2, "0")}:${found[5]}`];
    if (start === end) return null;
    spans.push({ start, end, days });
  }
  return spans;
}

function daysIn(typed: string): Day[] | null {
  if (typed.trim() === "") return [...DAYS];
  const found = new Set<Day>();
  for (const part of typed.split(/[\s,]+/).filter((each) => each !== "")) {
    const [from, to = from] = part.split("-").map((day) => DAYS.indexOf(day as Day));
    if (from === undefined || to === undefined || from < 0 || to < 0) return null;
    for (let day = from; ; day = (day + 1) % 7) {
      found.add(DAYS[day] as Day);
      if (day === to) break;
    }
  }
  return DAYS.filter((day) => found.has(day));
}
