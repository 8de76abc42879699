/** How old something is, going on by itself. */
import { computed, type Signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { now } from "../clock";
import { age, fullTime } from "../i18n/format";
import { language } from "../i18n/language";

interface Props {
  of: string;
  class?: string;
  /** Whether it goes on; always, where nothing is said. */
  going?: Signal<boolean>;
}

export function Age({ of, class: className, going }: Props) {
  const millis = Date.parse(of);
  // A text of its own: a thousand ages go on each second without a component being drawn anew.
  const text = useMemo(() => computed(() => age(millis, going?.value === false ? now.peek() : now.value)), [millis, language.value, going]);
  return (
    <time class={className} dateTime={of} title={fullTime(millis)}>
      {text}
    </time>
  );
}
