/** The tenant's API keys: who may come in, in which role, until when. For admins. */
import { useSignal } from "@preact/signals";
import { Failure } from "../api/client";
import type { KeyState, NewKey } from "../api/types";
import { now } from "../clock";
import { date } from "../i18n/format";
import { t } from "../i18n/language";
import { RuleTabs } from "../rules/tabs";
import { mayManage, session } from "../session";
import { useLoad } from "../ui/load";
import { Empty, Failed, failureText, Loading } from "../ui/states";
import { useTitle } from "../ui/title";
import { isValid, loadKeys, revokeKey } from "./key";
import { MakeKey, Secret } from "./make";

export function KeysView() {
  useTitle(t("keys.title"));
  return (
    <>
      <RuleTabs />
      <header class="page-head">
        <h1>{t("keys.title")}</h1>
      </header>
      {mayManage() ? <Keys /> : <Empty title={t("failure.forbidden")} text={t("key.not-admin")} />}
    </>
  );
}

function Keys() {
  const loaded = useLoad(loadKeys, []);
  const made = useSignal<NewKey | null>(null);
  const found = loaded.value.value;
  // The newest first: it is the one that somebody has just made.
  const ordered = found?.toSorted((one, other) => (one.created_at < other.created_at ? 1 : -1)) ?? [];
  const valid = ordered.filter((each) => isValid(each, now.value));
  const old = ordered.filter((each) => !isValid(each, now.value));
  return (
    <>
      {made.value ? <Secret made={made.value} done={() => (made.value = null)} /> : null}
      <MakeKey
        made={(key) => {
          made.value = key;
          loaded.reload();
        }}
      />
      {found ? (
        <>
          {valid.length > 0 ? (
            <ul class="card plain rules">
              {valid.map((each) => (
                <Row key={each.key_id} state={each} changed={loaded.reload} />
              ))}
            </ul>
          ) : (
            <Empty title={t("keys.none")} text={t("keys.none-next")} />
          )}
          {old.length > 0 ? (
            <details class="values">
              <summary>{t("keys.old", { count: old.length })}</summary>
              <ul class="card plain rules">
                {old.map((each) => (
                  <Row key={each.key_id} state={each} changed={loaded.reload} />
                ))}
              </ul>
            </details>
          ) : null}
        </>
      ) : loaded.failure.value ? (
        <Failed failure={loaded.failure.value} retry={loaded.reload} />
      ) : (
        <Loading />
      )}
    </>
  );
}

function Row({ state, changed }: { state: KeyState; changed: () => void }) {
  const me = session.value.state === "signed-in" ? session.value.me.key_id : "";
  const mine = state.key_id === me;
  return (
    <li class="rule with-action">
      <span class="rule-name">
        {state.name || t("keys.nameless")}
        <span class={`tag tag-${state.role === "admin" ? "warning" : "role"}`}>{state.role}</span>
        {mine ? <span class="tag">{t("keys.mine")}</span> : null}
      </span>
      {isValid(state, now.value) ? <Revoke state={state} mine={mine} changed={changed} /> : null}
      <span class="rule-facts">{facts(state, now.value).join(" · ")}</span>
    </li>
  );
}

function facts(state: KeyState, at: number): string[] {
  const until = state.revoked_at
    ? t("keys.revoked", { time: time(state.revoked_at) })
    : t(Date.parse(state.expires_at) > at ? "keys.valid" : "keys.expired", { time: time(state.expires_at) });
  return [
    until,
    t("keys.made", { time: time(state.created_at) }),
    state.key_id,
    state.scopes.length > 0 ? t("keys.only", { scopes: state.scopes.join(", ") }) : "",
  ].filter((fact) => fact !== "");
}

function time(each: string): string {
  return date(Date.parse(each));
}

interface RevokeProps {
  state: KeyState;
  mine: boolean;
  changed: () => void;
}

function Revoke({ state, mine, changed }: RevokeProps) {
  const asking = useSignal(false);
  const problem = useSignal<string | null>(null);
  async function revoke(): Promise<void> {
    try {
      await revokeKey(state.key_id);
      changed();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      problem.value = failureText(error);
    }
  }
  return (
    <span class="revoke">
      {asking.value ? (
        <>
          {mine ? <span class="problem">{t("key.revoke-mine")}</span> : null}
          <button type="button" class="button button-small button-danger" onClick={() => void revoke()}>
            {t("key.revoke-sure")}
          </button>
          <button type="button" class="button button-small" onClick={() => (asking.value = false)}>
            {t("edit.keep")}
          </button>
        </>
      ) : (
        <button type="button" class="button button-small" aria-label={`${t("key.revoke")}: ${state.name || state.key_id}`} onClick={() => (asking.value = true)}>
          {t("key.revoke")}
        </button>
      )}
      <span class="problem" role="alert">
        {problem.value}
      </span>
    </span>
  );
}
