/** A product while it is being edited: texts as typed, checked as the service will check them. */
import type { ProductBody, ProductProfile } from "../api/types";
import type { Problems } from "../ui/editing";
import { ID, maybe, numberIn, text } from "../ui/typed";

export interface Draft {
  product_id: string;
  name: string;
  below: string;
  above: string;
  consecutive: string;
  cumulative: string;
  window: string;
  kinetic: string;
  activation: string;
}

export const EMPTY: Draft = {
  product_id: "",
  name: "",
  below: "",
  above: "",
  consecutive: "",
  cumulative: "",
  window: "24",
  kinetic: "",
  activation: "83.144",
};

/** Those that may be empty. */
const OPTIONAL = ["below", "above", "consecutive", "cumulative", "kinetic"] as const;
/** The least and the greatest value of each number that has some. */
const RANGES = {
  consecutive: [0, 43_200],
  cumulative: [0, 43_200],
  window: [1, 168],
  kinetic: [-100, 100],
  activation: [0.001, 500],
} as const;

export function draftOf(product: ProductProfile): Draft {
  return {
    product_id: product.product_id,
    name: product.name,
    below: text(product.below),
    above: text(product.above),
    consecutive: text(product.consecutive_minutes),
    cumulative: text(product.cumulative_minutes),
    window: text(product.window_hours),
    kinetic: text(product.mean_kinetic_above),
    activation: text(product.activation_kj_per_mol),
  };
}

export function problemsOf(draft: Draft): Problems<Draft> {
  const problems: Problems<Draft> = {};
  const given = OPTIONAL.filter((field) => draft[field].trim() !== "");
  for (const field of [...given, "window", "activation"] as const) {
    const value = numberIn(draft[field]);
    const [least, most] = field in RANGES ? RANGES[field as keyof typeof RANGES] : [-Infinity, Infinity];
    if (Number.isNaN(value)) problems[field] = { key: "rule.error-number" };
    else if (value < least || value > most) problems[field] = { key: "edit.error-range", number: `${least} – ${most}` };
  }
  if (!problems.window && !Number.isInteger(numberIn(draft.window))) problems.window = { key: "edit.error-whole" };
  const [below, above] = [maybe(draft.below), maybe(draft.above)];
  if (below === null && above === null && draft.kinetic.trim() === "") problems.below = { key: "product.error-limits" };
  if (below !== null && above !== null && below >= above) problems.above = { key: "rule.error-order" };
  if ((maybe(draft.cumulative) ?? 0) >= numberIn(draft.window) * 60) problems.cumulative = { key: "product.error-together" };
  if (draft.name.trim() === "") problems.name = { key: "rule.error-required" };
  if (!ID.test(draft.product_id)) problems.product_id = { key: "rule.error-id" };
  return problems;
}

export function bodyOf(draft: Draft): ProductBody {
  return {
    name: draft.name.trim(),
    below: maybe(draft.below),
    above: maybe(draft.above),
    consecutive_minutes: maybe(draft.consecutive),
    cumulative_minutes: maybe(draft.cumulative),
    window_hours: numberIn(draft.window),
    mean_kinetic_above: maybe(draft.kinetic),
    activation_kj_per_mol: numberIn(draft.activation),
  };
}
