/** A part that scrolls by itself, with keys too. */
import type { ComponentChildren } from "preact";

interface Props {
  label: string;
  class: string;
  children: ComponentChildren;
}

export function Scroll({ label, class: className, children }: Props) {
  return (
    <div class={className} role="region" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}
