/** Makes a key, and shows it this once. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Failure } from "../api/client";
import type { NewKey, Role } from "../api/types";
import { type Key, t } from "../i18n/language";
import { session } from "../session";
import { Choices, Field, Select } from "../ui/field";
import { Section } from "../ui/section";
import { failureText } from "../ui/states";
import { makeKey } from "./key";

const ROLES: readonly Role[] = ["viewer", "operator", "admin"];
const DAYS = ["30", "90", "366"] as const;

export function MakeKey({ made }: { made: (key: NewKey) => void }) {
  const name = useSignal("");
  const role = useSignal<Role>("viewer");
  const days = useSignal<string>("90");
  const scopes = useSignal<string[]>([]);
  // Nobody can give away more than they have.
  const opened = session.value.state === "signed-in" ? session.value.me.scopes : [];
  const busy = useSignal(false);
  const wrong = useSignal<Key | null>(null);
  const problem = useSignal<string | null>(null);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    problem.value = null;
    wrong.value = name.value.trim() === "" ? "rule.error-required" : null;
    if (wrong.value !== null) return;
    busy.value = true;
    try {
      made(await makeKey({ name: name.value.trim(), role: role.value, scopes: scopes.value, expires_in_days: Number(days.value) }));
      name.value = "";
      scopes.value = [];
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      problem.value = failureText(error);
    }
    busy.value = false;
  }

  return (
    <form class="card section" onSubmit={(event) => void submit(event)} noValidate>
      <h2>{t("key.new")}</h2>
      <div class="grid">
        <Field
          label={t("rule.name")}
          name="name"
          value={name.value}
          change={(value) => (name.value = value)}
          hint={t("key.name-hint")}
          problem={wrong.value === null ? undefined : { key: wrong.value }}
        />
        <Select
          label={t("key.role")}
          name="role"
          value={role.value}
          options={ROLES.map((each) => [each, t(`role.${each}`)])}
          change={(value) => (role.value = value as Role)}
        />
        <Select
          label={t("key.days")}
          name="days"
          value={days.value}
          options={DAYS.map((each) => [each, t(`key.days-${each}`)])}
          change={(value) => (days.value = value)}
        />
      </div>
      <details class="values">
        <summary>{t("key.scopes")}</summary>
        <Choices
          legend={t("key.scopes")}
          options={opened.map((each) => [each, each])}
          chosen={scopes.value}
          change={(chosen) => (scopes.value = chosen)}
          hint={t("key.scopes-hint")}
        />
      </details>
      <p class="problem" role="alert">
        {problem.value}
      </p>
      <div class="actions">
        <button type="submit" class="button button-main" disabled={busy.value}>
          {t(busy.value ? "rule.saving" : "key.make")}
        </button>
      </div>
    </form>
  );
}

/** A key that was just made. When it is put away, nothing shows it again. */
export function Secret({ made, done }: { made: NewKey; done: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  const copied = useSignal<string | null>(null);
  useEffect(() => field.current?.select(), [made]);

  async function copy(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      copied.value = t("key.copied");
    } catch {
      // Without a clipboard, as on a page without TLS, the key is selected to be copied by hand.
      field.current?.select();
    }
  }

  return (
    <Section id="secret" title={t("key.secret", { name: made.name })} class="secret">
      <p>{t("key.shown-once")}</p>
      <input ref={field} class="field secret-key" readOnly value={made.key} aria-labelledby="secret" onFocus={(event) => event.currentTarget.select()} />
      <div class="actions">
        <button type="button" class="button button-main" onClick={() => void copy(made.key)}>
          {t("key.copy")}
        </button>
        <button type="button" class="button" onClick={() => void copy(`${location.origin}/#key=${made.key}`)}>
          {t("key.copy-link")}
        </button>
        <button type="button" class="button" onClick={done}>
          {t("key.done")}
        </button>
        <span class="hint" role="status">
          {copied.value}
        </span>
      </div>
    </Section>
  );
}
