/** How old something is, going on by itself. */
import { computed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { now } from "../clock";
import { age, fullTime } from "../i18n/format";
import { language } from "../i18n/language";

export function Age({ of, class: className }: { of: string; class?: string }) {
  const millis = Date.parse(of);
  // A text of its own: a thousand ages go on each second without a component being drawn anew.
  const text = useMemo(() => computed(() => age(millis, now.value)), [millis, language.value]);
  return (
    <time class={className} dateTime={of} title={fullTime(millis)}>
      {text}
    </time>
  );
}
