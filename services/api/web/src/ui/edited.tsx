/** Loads what is to be edited, unless it is new, and shows a form of it: another one once another version was loaded. */
import { Fragment, type JSX } from "preact";
import { request } from "../api/client";
import { NEW } from "../router";
import { useLoad } from "./load";
import { Failed, Loading } from "./states";
import { useTitle } from "./title";

interface Props<Stored> {
  /** Where the API keeps things of this kind, such as `/v1/rules`. */
  collection: string;
  id: string;
  name: (stored: Stored) => string;
  /** What the view is called while there is no name yet. */
  newTitle: string;
  /** `before` is what is stored, null for something new; `reload` loads it anew. */
  form: (before: Stored | null, reload: () => void) => JSX.Element;
}

/** Where the API keeps one thing. */
export function storedAt(collection: string, id: string): string {
  return `${collection}/${encodeURIComponent(id)}`;
}

export function Edited<Stored extends { version: number }>({ collection, id, name, newTitle, form }: Props<Stored>) {
  const loaded = useLoad<Stored | "new">(
    async (signal) => (id === NEW ? "new" : await request<Stored>(storedAt(collection, id), { signal })),
    [collection, id],
  );
  const found = loaded.value.value;
  useTitle(found && found !== "new" ? name(found) : newTitle);
  if (!found) {
    return loaded.failure.value ? <Failed failure={loaded.failure.value} retry={loaded.reload} /> : <Loading rows={6} />;
  }
  const before = found === "new" ? null : found;
  return <Fragment key={before ? before.version : NEW}>{form(before, loaded.reload)}</Fragment>;
}
