/** A card with a heading. */
import type { ComponentChildren } from "preact";

interface Props {
  id: string;
  title: string;
  children: ComponentChildren;
  class?: string;
  end?: ComponentChildren;
}

export function Section({ id, title, children, end, class: className = "" }: Props) {
  return (
    <section class={`card section ${className}`} aria-labelledby={id}>
      <div class="section-head">
        <h2 id={id}>{title}</h2>
        {end}
      </div>
      {children}
    </section>
  );
}
