/** The last hour of a series as a small line, with the limit it may leave. */
import { quantity } from "../i18n/format";
import { t } from "../i18n/language";

const WIDTH = 120;
const HEIGHT = 32;
const PAD = 3;

interface Props {
  values: (number | null)[];
  unit: string;
  threshold: number | null;
}

export function Sparkline({ values, unit, threshold }: Props) {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return <span class="spark spark-none">{t("fleet.sparkline-none")}</span>;
  const low = Math.min(...known);
  const high = Math.max(...known);
  const label = t("fleet.sparkline", { low: quantity(low, unit), high: quantity(high, unit) });
  const bottom = Math.min(low, threshold ?? low);
  // A steady series is a line in the middle, not its noise blown up.
  const room = Math.max(Math.max(high, threshold ?? high) - bottom, Math.abs(high) * 0.02, 0.5);
  const y = (value: number) => HEIGHT - PAD - ((value - bottom) / room) * (HEIGHT - 2 * PAD);
  const x = (at: number) => (at / Math.max(1, values.length - 1)) * WIDTH;
  const last = values.findLastIndex((value) => value !== null);
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {threshold === null ? null : (
        <line class="spark-limit" x1="0" x2={WIDTH} y1={y(threshold)} y2={y(threshold)} vector-effect="non-scaling-stroke" />
      )}
      <path class="spark-line" d={line(values, x, y)} vector-effect="non-scaling-stroke" />
      <path class="spark-end" d={`M${x(last)} ${y(values[last] ?? bottom)}h0.01`} vector-effect="non-scaling-stroke" />
    </svg>
  );
}

function line(values: (number | null)[], x: (at: number) => number, y: (value: number) => number): string {
  let drawn = "";
  let pen = false;
  values.forEach((value, at) => {
    if (value !== null) drawn += `${pen ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = value !== null;
  });
  return drawn;
}
