/** Who was told of an incident, by which way, and who was not and why. */
import { request } from "../api/client";
import type { Incident, NoticeShown, Page } from "../api/types";
import { now } from "../clock";
import { time } from "../i18n/format";
import { t } from "../i18n/language";
import { useLoad } from "../ui/load";
import { optional } from "./comparison";

export function Told({ incident }: { incident: Incident }) {
  const at = `/v1/incidents/${encodeURIComponent(incident.incident_id)}/notices`;
  const loaded = useLoad((signal) => optional(request<Page<NoticeShown>>(at, { signal })), [at, incident.state, incident.notified_at]);
  const notices = loaded.value.value?.items.filter(({ channel }) => channel !== "mqtt") ?? [];
  return (
    <section class="card" aria-labelledby="told">
      <h2 id="told">
        {incident.notified_at
          ? t("incident.told", { time: time(Date.parse(incident.notified_at), now.value) })
          : t("incident.not-told")}
      </h2>
      {incident.message ? <blockquote>{incident.message}</blockquote> : null}
      {notices.length > 0 ? (
        <ul class="plain notices">
          {notices.map((notice) => (
            <li key={`${notice.occasion} ${notice.step} ${notice.channel} ${notice.recipient}`}>
              {t("notice.to", { channel: t(`channel.${notice.channel}`), recipient: notice.recipient.replace(/^\.{3}/, "…") })},{" "}
              <span class={notice.withheld || notice.refused ? "bad" : "hint"}>{fate(notice)}</span>
            </li>
          ))}
        </ul>
      ) : null}
    </section>
  );
}

function fate(notice: NoticeShown): string {
  if (notice.sent_at) return t("notice.sent", { time: time(Date.parse(notice.sent_at), now.value) });
  if (notice.refused) return t("notice.refused", { reason: notice.refused });
  if (notice.withheld) return t("notice.withheld", { reason: notice.withheld });
  return notice.postponed ? t("notice.postponed", { reason: notice.postponed }) : t("notice.waiting");
}
