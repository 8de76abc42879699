/** Which rules apply to a series, as the service decides it: `*` stands for any characters and `?` for one. */
import type { Rule } from "../api/types";

export function matches(pattern: string, name: string): boolean {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${escaped}$`).test(name);
}

/** The limits that apply to a series, each once. */
export function limitsOf(rules: Rule[], device: string, metric: string): number[] {
  const found = rules
    .filter((rule) => rule.enabled && matches(rule.device, device) && matches(rule.metric, metric))
    .flatMap(({ condition }) => [condition.above, condition.below])
    .filter((limit) => limit !== null);
  return [...new Set(found)];
}
