/** The product whose limits a rule watches, of those that there are. */
import { request } from "../api/client";
import type { Page, ProductProfile } from "../api/types";
import { type Key, t } from "../i18n/language";
import { Select } from "../ui/field";
import { useLoad } from "../ui/load";
import { failureText } from "../ui/states";

interface Props {
  name: string;
  value: string;
  problem: { key: Key } | undefined;
  change: (value: string) => void;
}

export function ProductChoice({ name, value, problem, change }: Props) {
  const loaded = useLoad((signal) => request<Page<ProductProfile>>("/v1/products", { signal }), []);
  const found = loaded.value.value?.items ?? [];
  // What the rule says stays chosen, also while the products are on their way.
  const known = found.some((product) => product.product_id === value) || value === "" ? [] : [[value, value] as const];
  const failure = loaded.failure.value;
  const hint = failure ? failureText(failure) : loaded.value.value && found.length === 0 ? t("rule.product-make") : t("rule.product-hint");
  return (
    <Select
      label={t("rule.product")}
      name={name}
      value={value}
      problem={problem}
      hint={hint}
      options={[["", t("rule.product-none")], ...known, ...found.map((product) => [product.product_id, product.name] as const)]}
      change={change}
    />
  );
}
