/** Fields of forms, each with its label, its hint and what is wrong with it. */
import { type Key, t } from "../i18n/language";

interface Props {
  label: string;
  name: string;
  value: string;
  change: (value: string) => void;
  problem?: { key: Key; number?: string } | undefined;
  hint?: string;
  numeric?: boolean;
  lines?: number;
}

export function Field({ label, name, value, change, problem, hint, numeric = false, lines = 1 }: Props) {
  const common = {
    id: `field-${name}`,
    name,
    class: "field",
    value,
    "aria-invalid": problem !== undefined,
    "aria-describedby": `hint-${name} problem-${name}`,
    autocomplete: "off",
  } as const;
  return (
    <div>
      <label for={common.id}>{label}</label>
      {lines > 1 ? (
        <textarea {...common} rows={lines} onInput={(event) => change(event.currentTarget.value)} />
      ) : (
        <input
          {...common}
          type="text"
          inputMode={numeric ? "decimal" : "text"}
          onInput={(event) => change(event.currentTarget.value)}
        />
      )}
      <p id={`hint-${name}`} class="hint">
        {hint}
      </p>
      <p id={`problem-${name}`} class="problem">
        {problem ? t(problem.key, problem.number === undefined ? {} : { number: problem.number }) : null}
      </p>
    </div>
  );
}

interface SelectProps {
  label: string;
  name: string;
  value: string;
  options: readonly (readonly [value: string, text: string])[];
  change: (value: string) => void;
}

export function Select({ label, name, value, options, change }: SelectProps) {
  return (
    <div>
      <label for={`field-${name}`}>{label}</label>
      <select id={`field-${name}`} class="field" value={value} onChange={(event) => change(event.currentTarget.value)}>
        {options.map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

interface CheckProps {
  label: string;
  value: boolean;
  change: (value: boolean) => void;
}

export function Check({ label, value, change }: CheckProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={value} onChange={(event) => change(event.currentTarget.checked)} />
      {label}
    </label>
  );
}
