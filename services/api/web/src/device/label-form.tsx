/** Edits what a device is called and what it is sorted by. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Failure } from "../api/client";
import type { Device } from "../api/types";
import { t } from "../i18n/language";
import { labelName } from "../i18n/format";
import { Field } from "../ui/field";
import { failureText } from "../ui/states";
import { draftOf, problemOf, type Row, saveLabels } from "./labels";

interface Props {
  device: Device;
  /** Closes the form; `saved` says whether the device is to be loaded anew. */
  close: (saved: boolean) => void;
}

export function LabelForm({ device, close }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const draft = useSignal(draftOf(device));
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);
  const conflict = useSignal(false);
  useEffect(() => form.current?.querySelector("input")?.focus(), []);
  const put = (at: number, part: Partial<Row>): void => {
    draft.value = { ...draft.value, rows: draft.value.rows.map((row, each) => (each === at ? { ...row, ...part } : row)) };
  };
  const setRows = (rows: Row[]): void => {
    draft.value = { ...draft.value, rows };
  };

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const wrong = problemOf(draft.value);
    problem.value = wrong === null ? null : t(wrong);
    if (wrong !== null) return;
    busy.value = true;
    try {
      await saveLabels(device, draft.value);
      close(true);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      conflict.value = error.kind === "conflict";
      problem.value = conflict.value ? t("edit.conflict") : failureText(error);
      busy.value = false;
    }
  }

  return (
    <form ref={form} class="card section label-form" aria-label={t("labels.edit")} onSubmit={(event) => void submit(event)} noValidate>
      <Field
        label={t("rule.name")}
        name="name"
        value={draft.value.name}
        change={(name) => (draft.value = { ...draft.value, name })}
        hint={t("labels.name-hint", { device: device.device })}
      />
      <ul class="plain label-rows">
        {draft.value.rows.map((row, at) => (
          <li key={at}>
            <input class="field" aria-label={t("labels.label")} value={row.label} list="labels-known" onInput={(event) => put(at, { label: event.currentTarget.value })} />
            <input class="field" aria-label={row.label ? labelName(row.label) : t("labels.value")} value={row.value} onInput={(event) => put(at, { value: event.currentTarget.value })} />
            <button
              type="button"
              class="icon-button"
              aria-label={t("labels.remove", { label: row.label || t("labels.label") })}
              onClick={() => setRows(draft.value.rows.filter((_, each) => each !== at))}
            >
              <svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true">
                <path fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" d="M6 6l12 12M18 6L6 18" />
              </svg>
            </button>
          </li>
        ))}
      </ul>
      <datalist id="labels-known">
        {["site", "vehicle", "product", "driver"].map((each) => (
          <option key={each} value={each}>
            {labelName(each)}
          </option>
        ))}
      </datalist>
      <p class="problem" role="alert">
        {problem.value}
      </p>
      <div class="actions">
        <button type="submit" class="button button-main" disabled={busy.value}>
          {t(busy.value ? "rule.saving" : "rule.save")}
        </button>
        {conflict.value ? (
          <button type="button" class="button" onClick={() => close(true)}>
            {t("rule.load-theirs")}
          </button>
        ) : null}
        <button type="button" class="button" onClick={() => close(false)}>
          {t("rule.cancel")}
        </button>
        <button type="button" class="button button-end" onClick={() => setRows([...draft.value.rows, { label: "", value: "" }])}>
          {t("labels.add")}
        </button>
      </div>
    </form>
  );
}
