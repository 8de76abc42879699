/** Asks for the API key. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "./i18n/language";
import { session, signIn } from "./session";
import { useTitle } from "./ui/title";

export function SignIn() {
  useTitle(t("sign-in.title"));
  const key = useSignal("");
  const busy = useSignal(false);
  const shown = useSignal(false);
  const missing = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const reason = session.value.state === "signed-out" ? session.value.reason : "none";
  const problem = missing.value ? t("sign-in.empty") : reason === "none" ? null : t(`sign-in.${reason}`);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    missing.value = key.value.trim() === "";
    if (!missing.value) {
      busy.value = true;
      await signIn(key.value.trim());
      busy.value = false;
    }
    field.current?.focus();
  }

  return (
    <form class="card sign-in" onSubmit={(event) => void submit(event)} noValidate>
      <h1>{t("sign-in.title")}</h1>
      <p class="lead">{t("sign-in.lead")}</p>
      <label for="key">{t("sign-in.key")}</label>
      <div class="with-button">
        <input
          id="key"
          ref={field}
          class="field"
          name="password"
          {...(shown.value ? { type: "text" as const } : { type: "password" as const })}
          autocomplete="current-password"
          autocapitalize="off"
          spellcheck={false}
          value={key.value}
          aria-describedby="key-hint key-problem"
          aria-invalid={problem !== null}
          onInput={(event) => {
            key.value = event.currentTarget.value;
          }}
        />
        <button type="button" class="button" aria-pressed={shown.value} onClick={() => (shown.value = !shown.value)}>
          {t(shown.value ? "sign-in.hide" : "sign-in.show")}
        </button>
      </div>
      <p id="key-hint" class="hint">
        {t("sign-in.hint")}
      </p>
      <p id="key-problem" class="problem" role="alert">
        {problem}
      </p>
      <button type="submit" class="button button-main" disabled={busy.value}>
        {t(busy.value ? "sign-in.busy" : "sign-in.submit")}
      </button>
      <p class="hint">{t("sign-in.privacy")}</p>
    </form>
  );
}
