/** Removes something, after asking once more. */
import { useSignal } from "@preact/signals";
import { Failure, request } from "../api/client";
import { t } from "../i18n/language";
import { go } from "../router";
import { mayEdit } from "../session";
import { failureText } from "./states";

interface Props {
  path: string;
  /** The view to go to when it is gone. */
  next: string;
}

export function Remove({ path, next }: Props) {
  const asking = useSignal(false);
  const problem = useSignal<string | null>(null);
  async function remove(): Promise<void> {
    try {
      await request(path, { method: "DELETE" });
      go(next);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      // What stands in the way, such as a rule that names the product.
      problem.value = error.kind === "conflict" ? error.message : failureText(error);
    }
  }
  if (!mayEdit()) return null;
  if (!asking.value) {
    return (
      <button type="button" class="button button-end" onClick={() => (asking.value = true)}>
        {t("edit.remove")}
      </button>
    );
  }
  return (
    <>
      <button type="button" class="button button-danger button-end" onClick={() => void remove()}>
        {t("edit.remove-sure")}
      </button>
      <button type="button" class="button" onClick={() => (asking.value = false)}>
        {t("edit.keep")}
      </button>
      <p class="problem" role="alert">
        {problem.value}
      </p>
    </>
  );
}
