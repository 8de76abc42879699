/** The state of a device as shape, word and colour, so that no one of them is needed to tell. */
import type { Status } from "../fleet/status";
import { t } from "../i18n/language";

const SHAPES: Record<Status, string> = {
  out: "M8 1.5 15 14H1z",
  predicted: "M8 1 15 8 8 15 1 8z",
  watch: "M8 3c4 0 6 3.200 7 5-1 1.800-3 5-7 5s-6-3.200-7-5c1-1.800 3-5 7-5z",
  silent: "M2 7h12v2H2z",
  fine: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2z",
};

export function StatusBadge({ status }: { status: Status }) {
  return (
    <span class={`badge badge-${status}`}>
      <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
        <path d={SHAPES[status]} fill="currentColor" />
      </svg>
      {t(`status.${status}`)}
    </span>
  );
}
