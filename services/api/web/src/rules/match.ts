/** Which rules apply to a series, as the service decides it: `*` stands for any characters and `?` for one. */
import type { Rule } from "../api/types";

export function matches(pattern: string, name: string): boolean {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${escaped}$`).test(name);
}

export interface Owner {
  device: string;
  labels: Record<string, string>;
}

/** Whether a rule watches a metric of a device. */
export function watches(rule: Rule, { device, labels }: Owner, metric: string): boolean {
  return (
    rule.enabled &&
    matches(rule.device, device) &&
    matches(rule.metric, metric) &&
    Object.entries(rule.labels).every(([name, wanted]) => name in labels && matches(wanted, labels[name] ?? ""))
  );
}

/** The lower and upper limit that a rule sets for the value itself. */
export function limits({ condition, profile }: Rule): { below: number | null; above: number | null } {
  const from = condition.kind === "limit" ? condition : condition.kind === "product" ? profile : null;
  return { below: from?.below ?? null, above: from?.above ?? null };
}

/** The limits that apply to a series, each once. */
export function limitsOf(rules: readonly Rule[], owner: Owner, metric: string): number[] {
  const found = rules
    .filter((rule) => watches(rule, owner, metric))
    .map(limits)
    .flatMap(({ above, below }) => [above, below])
    .filter((limit) => limit !== null);
  return [...new Set(found)];
}
