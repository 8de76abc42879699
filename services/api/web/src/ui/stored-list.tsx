/** A list of what is kept for good, such as rules or recipients: loading, empty, failed, or its rows, and a way to add one. */
import type { JSX } from "preact";
import { request } from "../api/client";
import type { Page } from "../api/types";
import { t } from "../i18n/language";
import { RuleTabs } from "../rules/tabs";
import { mayEdit } from "../session";
import { useLoad } from "./load";
import { Empty, Failed, Loading } from "./states";
import { useTitle } from "./title";

interface Props<Item> {
  title: string;
  /** Where the API keeps them. */
  collection: string;
  add: { href: string; text: string };
  none: { title: string; text: string };
  id: (item: Item) => string;
  /** What is said of one of them; those who may edit get a link to it. */
  row: (item: Item) => JSX.Element;
  href: (item: Item) => string;
  /** What must be known to read the list. */
  note?: string;
}

export function StoredList<Item>({ title, collection, add, none, id, row, href, note }: Props<Item>) {
  useTitle(title);
  const loaded = useLoad((signal) => request<Page<Item>>(collection, { signal }), [collection]);
  const found = loaded.value.value?.items;
  return (
    <>
      <RuleTabs />
      <header class="page-head">
        <h1>{title}</h1>
        {mayEdit() ? (
          <a class="button button-main" href={add.href}>
            {add.text}
          </a>
        ) : null}
      </header>
      {found ? (
        found.length > 0 ? (
          <ul class="card plain rules">
            {found.map((item) => (
              <li key={id(item)}>
                {mayEdit() ? (
                  <a class="rule" href={href(item)}>
                    {row(item)}
                  </a>
                ) : (
                  <div class="rule">{row(item)}</div>
                )}
              </li>
            ))}
          </ul>
        ) : (
          <Empty {...none} />
        )
      ) : loaded.failure.value ? (
        <Failed failure={loaded.failure.value} retry={loaded.reload} />
      ) : (
        <Loading />
      )}
      {note && found && found.length > 1 ? <p class="hint">{note}</p> : null}
      {mayEdit() ? null : <p class="hint">{t("edit.read-only")}</p>}
    </>
  );
}
