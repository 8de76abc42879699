/** What belongs together: rules, who is told, and what is kept quiet. */
import { t } from "../i18n/language";
import { links, view } from "../router";

export function RuleTabs() {
  const tabs = [
    { href: links.rules, text: t("rules.title"), current: view.value.name === "rules" },
    { href: links.recipients, text: t("recipients.title"), current: view.value.name === "recipients" },
    { href: links.silences, text: t("silences.title"), current: view.value.name === "silences" },
  ];
  return (
    <nav class="tabs" aria-label={t("rules.tabs")}>
      {tabs.map((tab) => (
        <a key={tab.href} class="chip" href={tab.href} {...(tab.current ? { "aria-current": "page" } : {})}>
          {tab.text}
        </a>
      ))}
    </nav>
  );
}
