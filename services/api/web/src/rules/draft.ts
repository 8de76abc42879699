/** A rule while it is being edited: texts as typed, checked as the service will check them. */
import type { ForecastCondition, Rule, RuleBody, Severity } from "../api/types";
import type { Key } from "../i18n/language";

export interface Draft {
  rule_id: string;
  name: string;
  device: string;
  metric: string;
  above: string;
  below: string;
  hold: string;
  margin: string;
  ahead: boolean;
  probability: string;
  severity: Severity;
  sms: string;
  enabled: boolean;
}

export type Problems = Partial<Record<keyof Draft, { key: Key; number?: string }>>;

export const EMPTY: Draft = {
  rule_id: "",
  name: "",
  device: "*",
  metric: "temperature",
  above: "",
  below: "",
  hold: "60",
  margin: "0",
  ahead: true,
  probability: "70",
  severity: "warning",
  sms: "",
  enabled: true,
};

const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const PHONE = /^\+[1-9][0-9]{6,14}$/;

export function draftOf(rule: Rule): Draft {
  const { condition } = rule;
  return {
    rule_id: rule.rule_id,
    name: rule.name,
    device: rule.device,
    metric: rule.metric,
    above: text(condition.above),
    below: text(condition.below),
    hold: text(condition.hold_seconds),
    margin: text(condition.clear_margin),
    ahead: condition.forecast !== null,
    probability: String(Math.round((condition.forecast?.min_probability ?? 0.7) * 100)),
    severity: rule.severity,
    sms: rule.sms.join("\n"),
    enabled: rule.enabled,
  };
}

function text(value: number | null): string {
  return value === null ? "" : String(value);
}

/** What is wrong with a draft; nothing where it can be saved. */
export function problemsOf(draft: Draft): Problems {
  const problems: Problems = {};
  for (const field of ["name", "device", "metric"] as const) {
    if (draft[field].trim() === "") problems[field] = { key: "rule.error-required" };
  }
  if (!ID.test(draft.rule_id)) problems.rule_id = { key: "rule.error-id" };
  const limits = (["above", "below"] as const).filter((field) => draft[field].trim() !== "");
  const numbers = [...limits, "hold", "margin", ...(draft.ahead ? (["probability"] as const) : [])] as const;
  for (const field of numbers) if (Number.isNaN(numberIn(draft[field]))) problems[field] = { key: "rule.error-number" };
  if (limits.length === 0) problems.above = { key: "rule.error-limits" };
  if (limits.length === 2 && numberIn(draft.below) >= numberIn(draft.above)) problems.above = { key: "rule.error-order" };
  const wrong = phones(draft).find((number) => !PHONE.test(number));
  if (wrong !== undefined) problems.sms = { key: "rule.error-phone", number: wrong };
  return problems;
}

/** The rule to send. What the form does not show of the forecast's condition stays as it is in `before`. */
export function bodyOf(draft: Draft, before: Rule | null): RuleBody {
  const limit = (text: string) => (text.trim() === "" ? null : numberIn(text));
  const kept = before?.condition.forecast;
  const forecast = { ...kept, min_probability: numberIn(draft.probability) / 100 } as ForecastCondition;
  if (kept?.clear_probability && kept.clear_probability > forecast.min_probability) forecast.clear_probability = null;
  return {
    name: draft.name.trim(),
    device: draft.device.trim(),
    metric: draft.metric.trim(),
    condition: {
      kind: "limit",
      above: limit(draft.above),
      below: limit(draft.below),
      hold_seconds: numberIn(draft.hold),
      clear_margin: numberIn(draft.margin),
      forecast: draft.ahead ? forecast : null,
    },
    severity: draft.severity,
    sms: phones(draft),
    enabled: draft.enabled,
  };
}

/** People write 7,5 or 7.5. */
function numberIn(text: string): number {
  const plain = text.trim().replace(",", ".");
  return plain === "" ? Number.NaN : Number(plain);
}

function phones(draft: Draft): string[] {
  const lines = draft.sms.split(/[\n;]+/).map((line) => line.replace(/[\s()/-]/g, ""));
  return lines.filter((line) => line !== "");
}
