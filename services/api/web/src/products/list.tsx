/** The products: how warm, how cold and for how long each may be. */
import type { ProductProfile } from "../api/types";
import { duration, threshold } from "../i18n/format";
import { t } from "../i18n/language";
import { links, NEW } from "../router";
import { limitsText } from "../rules/wording";
import { StoredList } from "../ui/stored-list";

export function ProductsView() {
  return (
    <StoredList<ProductProfile>
      title={t("products.title")}
      collection="/v1/products"
      add={{ href: links.product(NEW), text: t("products.new") }}
      none={{ title: t("products.none"), text: t("products.none-next") }}
      id={({ product_id: id }) => id}
      href={({ product_id: id }) => links.product(id)}
      row={(product) => (
        <>
          <span class="rule-name">
            {product.name}
            <span class="tag">{product.product_id}</span>
          </span>
          <span class="rule-says">{says(product).join(", ")}</span>
          <span class="rule-facts">{budgets(product).join(" · ")}</span>
        </>
      )}
    />
  );
}

function says(product: ProductProfile): string[] {
  const kinetic = product.mean_kinetic_above;
  return [
    product.above === null && product.below === null ? "" : limitsText(product),
    kinetic === null ? "" : t("products.kinetic", { value: threshold(kinetic, "Cel") }),
  ].filter((text) => text !== "");
}

function budgets({ consecutive_minutes: once, cumulative_minutes: all, window_hours: hours }: ProductProfile): string[] {
  return [
    once === null ? "" : t("products.at-a-time", { minutes: duration(once * 60_000) }),
    all === null ? "" : t("products.together", { minutes: duration(all * 60_000), window: duration(hours * 3_600_000) }),
  ].filter((text) => text !== "");
}
