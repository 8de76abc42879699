/** An escalation while it is being edited: texts as typed, checked as the service will check them. */
import type { Channel, Escalation, EscalationBody, Severity } from "../api/types";
import type { Problems } from "../ui/editing";
import { labelsIn, labelsText } from "../ui/labels";
import { ID, listIn, maybe, numberIn, text } from "../ui/typed";

/** The ways that reach people. */
export const WAYS: readonly Channel[] = ["sms", "email", "slack", "webhook"];
export const SEVERITIES: readonly Severity[] = ["info", "warning", "critical"];
const EVERYBODY = "*";
export const MOST_STEPS = 10;
const ROLE = /^(\*|[a-z][a-z0-9_-]{0,31})$/;

export interface DraftStep {
  after: string;
  roles: string;
  ways: Channel[];
}

export interface Draft {
  escalation_id: string;
  rule: string;
  device: string;
  labels: string;
  severities: Severity[];
  steps: DraftStep[];
  repeat: string;
  times: string;
  group: string;
  interval: string;
  updates: Channel[];
}

export const EMPTY: Draft = {
  escalation_id: "",
  rule: "*",
  device: "*",
  labels: "",
  severities: [...SEVERITIES],
  steps: [{ after: "0", roles: EVERYBODY, ways: [] }],
  repeat: "",
  times: "6",
  group: "device",
  interval: "120",
  updates: ["email", "slack", "webhook"],
};

export function draftOf(known: Escalation): Draft {
  return {
    escalation_id: known.escalation_id,
    rule: known.rule,
    device: known.device,
    labels: labelsText(known.labels),
    severities: known.severities,
    steps: known.steps.map((step) => ({ after: text(step.after_minutes), roles: step.roles.join(", "), ways: step.channels ?? [] })),
    repeat: text(known.repeat_minutes),
    times: text(known.max_repeats),
    group: known.group_by ?? "",
    interval: text(known.group_interval_seconds),
    updates: known.updates,
  };
}

/** One more step, a quarter of an hour after the last. */
export function withStep(steps: readonly DraftStep[]): DraftStep[] {
  const last = numberIn(steps.at(-1)?.after ?? "0");
  return [...steps, { after: String((Number.isNaN(last) ? 0 : last) + 15), roles: EVERYBODY, ways: [] }];
}

export function problemsOf(draft: Draft): Problems<Draft> {
  const problems: Problems<Draft> = {};
  if (!ID.test(draft.escalation_id)) problems.escalation_id = { key: "rule.error-id" };
  for (const field of ["rule", "device"] as const) if (draft[field].trim() === "") problems[field] = { key: "rule.error-required" };
  if (labelsIn(draft.labels) === null) problems.labels = { key: "rule.error-labels" };
  if (draft.severities.length === 0) problems.severities = { key: "escalation.error-severities" };
  const wrong = wrongStep(draft.steps);
  if (wrong) problems.steps = { key: wrong };
  whole(problems, draft, "times", 1, 24);
  whole(problems, draft, "interval", 0, 3600);
  if (draft.repeat.trim() !== "") whole(problems, draft, "repeat", 5, 10_080);
  if (draft.group.trim() !== "" && !/^[A-Za-z0-9_.-]{1,64}$/.test(draft.group.trim())) problems.group = { key: "escalation.error-group" };
  return problems;
}

function wrongStep(steps: readonly DraftStep[]): "escalation.error-steps" | "rule.error-number" | "recipient.error-roles" | null {
  const minutes = steps.map(({ after }, at) => (at === 0 ? 0 : numberIn(after)));
  if (minutes.some((each) => !Number.isInteger(each) || each > 10_080)) return "rule.error-number";
  if (minutes.some((each, at) => at > 0 && each <= (minutes[at - 1] ?? 0))) return "escalation.error-steps";
  return steps.every(({ roles }) => rolesIn(roles).length > 0 && rolesIn(roles).every((role) => ROLE.test(role))) ? null : "recipient.error-roles";
}

function whole(problems: Problems<Draft>, draft: Draft, field: "times" | "interval" | "repeat", least: number, most: number): void {
  const value = numberIn(draft[field]);
  if (!Number.isInteger(value) || value < least || value > most) problems[field] = { key: "edit.error-range", number: `${least} – ${most}` };
}

export function bodyOf(draft: Draft): EscalationBody {
  return {
    rule: draft.rule.trim(),
    device: draft.device.trim(),
    labels: labelsIn(draft.labels) ?? {},
    severities: draft.severities,
    steps: draft.steps.map(({ after, roles, ways }, at) => ({
      after_minutes: at === 0 ? 0 : numberIn(after),
      roles: rolesIn(roles),
      channels: ways.length > 0 ? ways : null,
    })),
    repeat_minutes: maybe(draft.repeat),
    max_repeats: numberIn(draft.times),
    group_by: draft.group.trim() || null,
    group_interval_seconds: numberIn(draft.interval),
    updates: draft.updates,
  };
}

function rolesIn(typed: string): string[] {
  return listIn(typed.toLowerCase());
}
