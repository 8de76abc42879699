/** Makes or changes a product: its limits, and the budgets of excursions beyond them. */
import type { ProductProfile } from "../api/types";
import { t } from "../i18n/language";
import { links } from "../router";
import { Edited, storedAt } from "../ui/edited";
import { EditFrame, useEditing } from "../ui/editing";
import { Field } from "../ui/field";
import { Remove } from "../ui/remove";
import { bodyOf, draftOf, EMPTY, problemsOf } from "./draft";

const COLLECTION = "/v1/products";

export function ProductView({ id }: { id: string }) {
  return (
    <Edited<ProductProfile>
      collection={COLLECTION}
      id={id}
      name={({ name }) => name}
      newTitle={t("product.new-title")}
      form={(before, reload) => <Form before={before} reload={reload} />}
    />
  );
}

function Form({ before, reload }: { before: ProductProfile | null; reload: () => void }) {
  const editing = useEditing({
    start: before ? draftOf(before) : EMPTY,
    problemsOf,
    sent: (draft) => ({ path: storedAt(COLLECTION, draft.product_id), body: bodyOf(draft) }),
    version: before?.version ?? null,
    next: links.products,
  });
  const { text } = editing;
  return (
    <EditFrame
      editing={editing}
      title={before?.name ?? t("product.new-title")}
      back={{ href: links.products, text: t("products.back") }}
      reload={before ? reload : null}
      more={before ? <Remove path={storedAt(COLLECTION, before.product_id)} next={links.products} /> : null}
    >
      <div class="grid">
        {before ? null : <Field label={t("rule.id")} {...text("product_id")} hint={t("rule.id-hint")} />}
        <Field label={t("rule.name")} {...text("name")} hint={t("rule.name-hint")} />
      </div>
      <fieldset>
        <legend>{t("product.limits")}</legend>
        <div class="grid">
          <Field label={t("rule.below")} {...text("below")} hint={t("rule.below-hint")} numeric />
          <Field label={t("rule.above")} {...text("above")} hint={t("rule.above-hint")} numeric />
          <Field label={t("product.kinetic")} {...text("kinetic")} hint={t("product.kinetic-hint")} numeric />
          <Field label={t("product.activation")} {...text("activation")} hint={t("product.activation-hint")} numeric />
        </div>
      </fieldset>
      <fieldset>
        <legend>{t("product.budget")}</legend>
        <div class="grid">
          <Field label={t("product.consecutive")} {...text("consecutive")} hint={t("product.consecutive-hint")} numeric />
          <Field label={t("product.cumulative")} {...text("cumulative")} hint={t("product.cumulative-hint")} numeric />
          <Field label={t("product.window")} {...text("window")} hint={t("product.window-hint")} numeric />
        </div>
      </fieldset>
    </EditFrame>
  );
}
