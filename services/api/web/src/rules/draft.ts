/** A rule while it is being edited: texts as typed, checked as the service will check them. */
import type { Condition, ForecastCondition, Kind, Rule, RuleBody, Severity } from "../api/types";
import type { Problems as ProblemsOf } from "../ui/editing";
import { labelsIn, labelsText } from "../ui/labels";
import { ID, maybe, numberIn, text } from "../ui/typed";

export interface Draft {
  rule_id: string;
  name: string;
  device: string;
  metric: string;
  labels: string;
  kind: Kind;
  above: string;
  below: string;
  rising: string;
  falling: string;
  window: string;
  after: string;
  tolerance: string;
  product: string;
  hold: string;
  margin: string;
  ahead: boolean;
  probability: string;
  severity: Severity;
  sms: string;
  enabled: boolean;
}

export type Problems = ProblemsOf<Draft>;

export const EMPTY: Draft = {
  rule_id: "",
  name: "",
  device: "*",
  metric: "temperature",
  labels: "",
  kind: "limit",
  above: "",
  below: "",
  rising: "",
  falling: "",
  window: "5",
  after: "15",
  tolerance: "0",
  product: "",
  hold: "60",
  margin: "0",
  ahead: true,
  probability: "70",
  severity: "warning",
  sms: "",
  enabled: true,
};

const PHONE = /^\+[1-9][0-9]{6,14}$/;

/** The numbers that each kind of condition needs; those in `either` may be empty, but not all of them. */
const NUMBERS: Record<Kind, { needed: readonly Text[]; either: readonly Text[] }> = {
  limit: { needed: ["hold", "margin"], either: ["above", "below"] },
  silence: { needed: ["after"], either: [] },
  rate: { needed: ["window", "hold", "margin"], either: ["rising", "falling"] },
  stuck: { needed: ["after", "tolerance"], either: [] },
  product: { needed: ["margin"], either: [] },
};
type Text = "above" | "below" | "rising" | "falling" | "window" | "after" | "tolerance" | "hold" | "margin";

export function isForecast(kind: Kind): boolean {
  return kind === "limit" || kind === "product";
}

export function draftOf(rule: Rule): Draft {
  const { condition } = rule;
  const forecast = forecastOf(condition);
  return {
    ...EMPTY,
    rule_id: rule.rule_id,
    name: rule.name,
    device: rule.device,
    metric: rule.metric,
    labels: labelsText(rule.labels),
    ...conditionTexts(condition),
    kind: condition.kind,
    ahead: forecast !== null,
    probability: String(Math.round((forecast?.min_probability ?? 0.7) * 100)),
    severity: rule.severity,
    sms: rule.sms.join("\n"),
    enabled: rule.enabled,
  };
}

function forecastOf(condition: Condition): ForecastCondition | null {
  return condition.kind === "limit" || condition.kind === "product" ? condition.forecast : null;
}

function conditionTexts(condition: Condition): Partial<Draft> {
  switch (condition.kind) {
    case "limit": {
      const { above, below, hold_seconds: hold, clear_margin: margin } = condition;
      return { above: text(above), below: text(below), hold: text(hold), margin: text(margin) };
    }
    case "silence":
      return { after: text(condition.after_minutes) };
    case "rate": {
      const { rising, falling, window_minutes: window, hold_seconds: hold, clear_margin: margin } = condition;
      return { rising: text(rising), falling: text(falling), window: text(window), hold: text(hold), margin: text(margin) };
    }
    case "stuck":
      return { after: text(condition.after_minutes), tolerance: text(condition.tolerance) };
    case "product":
      return { product: condition.product, margin: text(condition.clear_margin) };
  }
}

/** What is wrong with a draft; nothing where it can be saved. */
export function problemsOf(draft: Draft): Problems {
  const problems: Problems = {};
  for (const field of ["name", "device", "metric"] as const) {
    if (draft[field].trim() === "") problems[field] = { key: "rule.error-required" };
  }
  if (!ID.test(draft.rule_id)) problems.rule_id = { key: "rule.error-id" };
  if (labelsIn(draft.labels) === null) problems.labels = { key: "rule.error-labels" };
  if (draft.kind === "product" && !ID.test(draft.product)) problems.product = { key: "rule.product-none" };
  const { needed, either } = NUMBERS[draft.kind];
  const given = either.filter((field) => draft[field].trim() !== "");
  const ahead = isForecast(draft.kind) && draft.ahead ? (["probability"] as const) : [];
  for (const field of [...needed, ...given, ...ahead]) {
    if (Number.isNaN(numberIn(draft[field]))) problems[field] = { key: "rule.error-number" };
  }
  const [first] = either;
  if (first && given.length === 0) problems[first] = { key: "rule.error-limits" };
  if (draft.kind === "limit" && given.length === 2 && numberIn(draft.below) >= numberIn(draft.above)) {
    problems.above = { key: "rule.error-order" };
  }
  const wrong = phones(draft).find((number) => !PHONE.test(number));
  if (wrong !== undefined) problems.sms = { key: "rule.error-phone", number: wrong };
  return problems;
}

/** The rule to send. What the form does not show of the forecast's condition stays as it is in `before`. */
export function bodyOf(draft: Draft, before: Rule | null): RuleBody {
  return {
    name: draft.name.trim(),
    device: draft.device.trim(),
    metric: draft.metric.trim(),
    labels: labelsIn(draft.labels) ?? {},
    condition: conditionOf(draft, before),
    severity: draft.severity,
    sms: phones(draft),
    enabled: draft.enabled,
  };
}

function conditionOf(draft: Draft, before: Rule | null): Condition {
  const [hold_seconds, clear_margin, after_minutes] = [draft.hold, draft.margin, draft.after].map(numberIn) as [number, number, number];
  switch (draft.kind) {
    case "limit":
      return { kind: "limit", above: maybe(draft.above), below: maybe(draft.below), hold_seconds, clear_margin, forecast: ahead(draft, before) };
    case "silence":
      return { kind: "silence", after_minutes };
    case "rate":
      return { kind: "rate", rising: maybe(draft.rising), falling: maybe(draft.falling), window_minutes: numberIn(draft.window), hold_seconds, clear_margin };
    case "stuck":
      return { kind: "stuck", after_minutes, tolerance: numberIn(draft.tolerance) };
    case "product":
      return { kind: "product", product: draft.product.trim(), clear_margin, forecast: ahead(draft, before) };
  }
}

function ahead(draft: Draft, before: Rule | null): ForecastCondition | null {
  if (!draft.ahead) return null;
  const kept = before ? forecastOf(before.condition) : null;
  const forecast = { ...kept, min_probability: numberIn(draft.probability) / 100 } as ForecastCondition;
  if (kept?.clear_probability && kept.clear_probability > forecast.min_probability) forecast.clear_probability = null;
  return forecast;
}

function phones(draft: Draft): string[] {
  const lines = draft.sms.split(/[\n;]+/).map((line) => line.replace(/[\s()/-]/g, ""));
  return lines.filter((line) => line !== "");
}
