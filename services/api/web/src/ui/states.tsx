/** What a view shows instead of its content: it loads, there is nothing, or it failed. */
import type { Failure } from "../api/client";
import { t } from "../i18n/language";

export function Loading({ rows = 4 }: { rows?: number }) {
  return (
    <div class="card loading" role="status" aria-busy="true">
      <span class="hidden">{t("state.loading")}</span>
      {Array.from({ length: rows }, (_, at) => (
        <div key={at} class="bone" aria-hidden="true" />
      ))}
    </div>
  );
}

interface EmptyProps {
  title: string;
  text?: string;
  action?: string;
  act?: () => void;
}

export function Empty({ title, text, action, act }: EmptyProps) {
  return (
    <div class="card state">
      <h2>{title}</h2>
      {text ? <p>{text}</p> : null}
      {action ? (
        <button type="button" class="button" onClick={act}>
          {action}
        </button>
      ) : null}
    </div>
  );
}

export function Failed({ failure, retry }: { failure: Failure; retry?: () => void }) {
  return (
    <div class="card state state-failed" role="alert">
      <h2>{failureText(failure)}</h2>
      {failure.kind === "offline" || failure.kind === "slow" ? <p>{t(`failure.${failure.kind}-next`)}</p> : null}
      {failure.kind === "server" && failure.problem?.correlation_id ? (
        <p>{t("failure.server-next", { id: failure.problem.correlation_id })}</p>
      ) : null}
      {retry && failure.kind !== "missing" ? (
        <button type="button" class="button" onClick={retry}>
          {t("state.retry")}
        </button>
      ) : null}
    </div>
  );
}

export function failureText(failure: Failure): string {
  if (failure.kind === "invalid" || failure.kind === "busy") return t(`failure.${failure.kind}`, { detail: failure.message });
  return t(`failure.${failure.kind}`);
}
