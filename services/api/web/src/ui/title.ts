/** The title of the tab, which tells people and screen readers which view they are on. */
import { useEffect } from "preact/hooks";
import { t } from "../i18n/language";

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} – ${t("app.name")}`;
  }, [title]);
}
