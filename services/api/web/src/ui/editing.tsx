/** Editing something that has versions: it is checked, saved, and a change that somebody else made is not undone unseen. */
import { type Signal, useComputed, useSignal } from "@preact/signals";
import type { ComponentChildren, RefObject } from "preact";
import { useRef } from "preact/hooks";
import { Failure, request } from "../api/client";
import { type Key, t } from "../i18n/language";
import { go } from "../router";
import { mayEdit } from "../session";
import { failureText } from "./states";

export type Problems<Draft> = Partial<Record<keyof Draft, { key: Key; number?: string }>>;

interface Asked<Draft> {
  /** What is edited at first. */
  start: Draft;
  problemsOf: (draft: Draft) => Problems<Draft>;
  /** Where the draft goes and what is sent. */
  sent: (draft: Draft) => { path: string; body: unknown };
  /** The version that is replaced; null for something new. */
  version: number | null;
  /** The view to go to when it is saved. */
  next: string;
}

export interface Editing<Draft> {
  form: RefObject<HTMLFormElement | null>;
  draft: Signal<Draft>;
  problems: Problems<Draft>;
  failure: Failure | null;
  saving: boolean;
  change: (part: Partial<Draft>) => void;
  /** What a text field of the draft needs. */
  text: (field: keyof Draft & string) => {
    name: string;
    value: string;
    problem: { key: Key; number?: string } | undefined;
    change: (value: string) => void;
  };
  submit: (event: SubmitEvent) => void;
}

export function useEditing<Draft>({ start, problemsOf, sent, version, next }: Asked<Draft>): Editing<Draft> {
  const form = useRef<HTMLFormElement>(null);
  const draft = useSignal(start);
  const tried = useSignal(false);
  const saving = useSignal(false);
  const failure = useSignal<Failure | null>(null);
  const problems = useComputed<Problems<Draft>>(() => (tried.value ? problemsOf(draft.value) : {}));
  const change = (part: Partial<Draft>): void => {
    draft.value = { ...draft.value, ...part };
  };

  async function submit(): Promise<void> {
    tried.value = true;
    const wrong = Object.keys(problemsOf(draft.value))[0];
    if (wrong) {
      form.current?.querySelector<HTMLElement>(`[name="${wrong}"]`)?.focus();
      return;
    }
    saving.value = true;
    failure.value = null;
    try {
      const headers: Record<string, string> = version === null ? {} : { "If-Match": `"${version}"` };
      const { path, body } = sent(draft.value);
      await request(path, { method: "PUT", body, headers });
      go(next);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failure.value = error;
    } finally {
      saving.value = false;
    }
  }

  return {
    form,
    draft,
    problems: problems.value,
    failure: failure.value,
    saving: saving.value,
    change,
    text: (field) => ({
      name: field,
      value: String(draft.value[field]),
      problem: problems.value[field],
      change: (value) => change({ [field]: value } as unknown as Partial<Draft>),
    }),
    submit: (event) => {
      event.preventDefault();
      void submit();
    },
  };
}

interface FrameProps<Draft> {
  editing: Editing<Draft>;
  title: string;
  back: { href: string; text: string };
  /** Loads what is stored now; null for something new. */
  reload: (() => void) | null;
  children: ComponentChildren;
  /** Beside the buttons at the end. */
  more?: ComponentChildren;
}

export function EditFrame<Draft>({ editing, title, back, reload, children, more }: FrameProps<Draft>) {
  const { failure, problems } = editing;
  return (
    <form ref={editing.form} class="card form" onSubmit={editing.submit} noValidate>
      <p class="crumb">
        <a href={back.href}>{back.text}</a>
      </p>
      <h1>{title}</h1>
      {children}
      <p class="problem" role="alert">
        {problemText(failure, reload === null) ?? (Object.keys(problems).length > 0 ? t("rule.check") : null)}
      </p>
      <div class="actions">
        <button type="submit" class="button button-main" disabled={editing.saving || !mayEdit()}>
          {t(editing.saving ? "rule.saving" : "rule.save")}
        </button>
        {failure?.kind === "conflict" && reload ? (
          <button type="button" class="button" onClick={reload}>
            {t("rule.load-theirs")}
          </button>
        ) : null}
        <a class="button" href={back.href}>
          {t("rule.cancel")}
        </a>
        {more}
      </div>
      {mayEdit() ? null : <p class="hint">{t("edit.read-only")}</p>}
    </form>
  );
}

function problemText(failure: Failure | null, isNew: boolean): string | null {
  if (!failure) return null;
  if (failure.kind === "conflict") return t(isNew ? "edit.exists" : "edit.conflict");
  return failureText(failure);
}
