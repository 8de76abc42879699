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
  problem?: { key: Key } | undefined;
  hint?: string | undefined;
}

export function Select({ label, name, value, options, change, problem, hint }: SelectProps) {
  return (
    <div>
      <label for={`field-${name}`}>{label}</label>
      <select
        id={`field-${name}`}
        name={name}
        class="field"
        value={value}
        aria-invalid={problem !== undefined}
        aria-describedby={`hint-${name} problem-${name}`}
        onChange={(event) => change(event.currentTarget.value)}
      >
        {options.map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
      <p id={`hint-${name}`} class="hint">
        {hint}
      </p>
      <p id={`problem-${name}`} class="problem">
        {problem ? t(problem.key) : null}
      </p>
    </div>
  );
}

interface ChoicesProps<Value extends string> {
  legend: string;
  options: readonly (readonly [value: Value, text: string])[];
  chosen: readonly Value[];
  change: (chosen: Value[]) => void;
  hint?: string;
}

/** Any number of some choices, in the order they are offered. */
export function Choices<Value extends string>({ legend, options, chosen, change, hint }: ChoicesProps<Value>) {
  const toggled = (value: Value): Value[] => options.map(([each]) => each).filter((each) => chosen.includes(each) !== (each === value));
  return (
    <div role="group" aria-label={legend}>
      <p class="legend-text">{legend}</p>
      <div class="checks">
        {options.map(([value, text]) => (
          <Check key={value} label={text} value={chosen.includes(value)} change={() => change(toggled(value))} />
        ))}
      </div>
      <p class="hint">{hint}</p>
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
