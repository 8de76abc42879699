/** Whether an element is on the screen or near it: what is far away need not be drawn anew with every change. */
import { batch, type Signal, signal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useMemo } from "preact/hooks";

const watched = new WeakMap<Element, Signal<boolean>>();

/** One for all elements; about a screen above and below counts as near. */
const observer = new IntersectionObserver(
  (entries) => {
    batch(() => {
      for (const { target, isIntersecting } of entries) {
        const near = watched.get(target);
        if (near) near.value = isIntersecting;
      }
    });
  },
  { rootMargin: "800px 0px" },
);

/** Near at first, until it is known. */
export function useNear(element: RefObject<Element | null>): Signal<boolean> {
  const near = useMemo(() => signal(true), []);
  useEffect(() => {
    const target = element.current;
    if (!target) return;
    watched.set(target, near);
    observer.observe(target);
    return () => observer.unobserve(target);
  }, [near]);
  return near;
}
