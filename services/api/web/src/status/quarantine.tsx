/** Messages that could not be accepted: what was wrong, what they carried, and trying them again. */
import { signal, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Failure, path, request, send } from "../api/client";
import type { Page, QuarantinedMessage, QuarantinedPayload } from "../api/types";
import { now } from "../clock";
import { relative } from "../i18n/format";
import { known, t } from "../i18n/language";
import { useLoad } from "../ui/load";
import { Scroll } from "../ui/scroll";
import { Section } from "../ui/section";
import { Failed, failureText, Loading } from "../ui/states";

interface Props {
  /** How many there are, as the status has it: when it changes, the list is loaded anew. */
  count: number;
  changed: () => void;
}

export function Quarantine({ count, changed }: Props) {
  const list = useMemo(() => new Kept(), []);
  useEffect(() => void list.load(), [list, count]);
  const items = list.items.value;
  return (
    <Section id="quarantine" title={t("quarantine.title")}>
      {items === null ? (
        list.failure.value ? (
          <Failed failure={list.failure.value} retry={() => void list.load()} />
        ) : (
          <Loading rows={2} />
        )
      ) : items.length === 0 ? (
        <p>{t("quarantine.none")}</p>
      ) : (
        <ul class="plain refused">
          {items.map((message) => (
            <Message
              key={message.message_id}
              message={message}
              gone={() => {
                list.drop(message.message_id);
                changed();
              }}
            />
          ))}
        </ul>
      )}
      {list.next.value ? (
        <button type="button" class="button" onClick={() => void list.load(list.next.peek())}>
          {t("incidents.more")}
        </button>
      ) : null}
    </Section>
  );
}

class Kept {
  readonly items = signal<QuarantinedMessage[] | null>(null);
  readonly next = signal<string | null>(null);
  readonly failure = signal<Failure | null>(null);

  async load(cursor: string | null = null): Promise<void> {
    try {
      const page = await request<Page<QuarantinedMessage>>(path("/v1/quarantine", { limit: 20, cursor }));
      this.items.value = cursor ? [...(this.items.peek() ?? []), ...page.items] : page.items;
      this.next.value = page.next_cursor;
      this.failure.value = null;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.failure.value = error;
    }
  }

  drop(id: string): void {
    this.items.value = this.items.peek()?.filter((each) => each.message_id !== id) ?? null;
  }
}

function Message({ message, gone }: { message: QuarantinedMessage; gone: () => void }) {
  const open = useSignal(false);
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);
  const at = `/v1/quarantine/${encodeURIComponent(message.message_id)}`;
  async function run(work: () => Promise<unknown>): Promise<void> {
    busy.value = true;
    problem.value = null;
    try {
      await work();
      gone();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      problem.value = error.kind === "conflict" ? error.message : failureText(error);
      busy.value = false;
    }
  }
  return (
    <li>
      <details
        onToggle={(event) => {
          open.value = event.currentTarget.open;
        }}
      >
        <summary>
          <span class="refused-device">{message.device ?? message.topic}</span>
          <span class="refused-reason">{known(`reason.${message.reason}`, message.reason)}</span>
          <span class="hint">{relative(Date.parse(message.received_at), Math.max(now.value, Date.parse(message.received_at)))}</span>
        </summary>
        <p>{message.detail}</p>
        <p class="hint">
          {message.topic} · {t("quarantine.size", { size: message.size })}
        </p>
        {open.value ? <Payload at={at} /> : null}
        <div class="actions">
          <button
            type="button"
            class="button"
            disabled={busy.value || message.truncated}
            onClick={() => void run(() => send(`${at}/retry`))}
          >
            {t("quarantine.retry")}
          </button>
          <button type="button" class="button" disabled={busy.value} onClick={() => void run(() => request(at, { method: "DELETE" }))}>
            {t("quarantine.forget")}
          </button>
        </div>
        {message.truncated ? <p class="hint">{t("quarantine.truncated")}</p> : null}
        <p class="problem" role="alert">
          {problem.value}
        </p>
      </details>
    </li>
  );
}

function Payload({ at }: { at: string }) {
  const loaded = useLoad((aborted) => request<QuarantinedPayload>(at, { signal: aborted }), [at]);
  const found = loaded.value.value;
  if (!found) return loaded.failure.value ? <p class="problem">{failureText(loaded.failure.value)}</p> : <Loading rows={1} />;
  return (
    <Scroll class="payload" label={t("quarantine.payload")}>
      {found.text ?? found.payload}
    </Scroll>
  );
}
