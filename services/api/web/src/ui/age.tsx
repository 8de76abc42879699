/** How old something is, going on by itself. */
import { now } from "../clock";
import { age, fullTime } from "../i18n/format";

export function Age({ of, class: className }: { of: string; class?: string }) {
  const millis = Date.parse(of);
  return (
    <time class={className} dateTime={of} title={fullTime(millis)}>
      {age(millis, now.value)}
    </time>
  );
}
