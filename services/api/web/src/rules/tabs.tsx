/** What belongs together: rules, what they watch, who is told and when, and who may do what. */
import { t } from "../i18n/language";
import { links, view } from "../router";
import { mayEdit, mayManage } from "../session";

export function RuleTabs() {
  // What a key may not even look at is not offered to it.
  const tabs = [
    { name: "rules", offered: true },
    { name: "products", offered: true },
    { name: "recipients", offered: mayEdit() },
    { name: "escalations", offered: true },
    { name: "silences", offered: true },
    { name: "keys", offered: mayManage() },
  ] as const;
  return (
    <nav class="tabs" aria-label={t("rules.tabs")}>
      {tabs
        .filter(({ offered }) => offered)
        .map(({ name }) => (
          <a key={name} class="chip" href={links[name]} {...(view.value.name === name ? { "aria-current": "page" } : {})}>
            {t(`${name}.title`)}
          </a>
        ))}
    </nav>
  );
}
