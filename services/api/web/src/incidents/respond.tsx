/** Says who sees to an incident, and lets people say so, comment, and keep it quiet for a while. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Failure } from "../api/client";
import type { Incident } from "../api/types";
import { now } from "../clock";
import { time } from "../i18n/format";
import { t } from "../i18n/language";
import { mayEdit } from "../session";
import { failureText } from "../ui/states";
import { acknowledge, comment } from "./life";

interface Props {
  incident: Incident;
  /** The incident as it is after an acknowledgement. */
  changed: (incident: Incident) => void;
  /** Something was added to its history. */
  added: () => void;
  children?: ComponentChildren;
}

export function Respond({ incident, changed, added, children }: Props) {
  const note = useSignal("");
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);
  const open = incident.state === "open";

  async function run(work: () => Promise<void>): Promise<void> {
    busy.value = true;
    problem.value = null;
    try {
      await work();
      note.value = "";
      added();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      problem.value = error.kind === "conflict" ? t("incident.not-open") : failureText(error);
    }
    busy.value = false;
  }

  return (
    <section class="card" aria-labelledby="respond">
      <h2 id="respond">{t("incident.respond")}</h2>
      {incident.acknowledged_by ? (
        <p class="seen-to">
          {t("incident.seen-to", {
            by: incident.acknowledged_by,
            time: time(Date.parse(incident.acknowledged_at ?? incident.opened_at), now.value),
          })}
        </p>
      ) : (
        <p>{t(open ? "incident.seen-to-by-nobody" : "incident.was-seen-to-by-nobody")}</p>
      )}
      {mayEdit() ? (
        <>
          <label for="note">{t("incident.note")}</label>
          <textarea
            id="note"
            class="field"
            rows={2}
            maxLength={1000}
            value={note.value}
            onInput={(event) => {
              note.value = event.currentTarget.value;
            }}
          />
          <div class="actions">
            {open ? (
              <button
                type="button"
                class="button button-main"
                disabled={busy.value}
                onClick={() => void run(async () => changed(await acknowledge(incident.incident_id, note.value)))}
              >
                {t("incident.acknowledge")}
              </button>
            ) : null}
            <button
              type="button"
              class="button"
              disabled={busy.value || note.value.trim() === ""}
              onClick={() => void run(async () => void (await comment(incident.incident_id, note.value)))}
            >
              {t("incident.comment")}
            </button>
          </div>
          <p class="problem" role="alert">
            {problem.value}
          </p>
          {children}
        </>
      ) : null}
    </section>
  );
}
