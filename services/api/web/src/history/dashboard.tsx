/** The dashboards that are embedded where the service is configured so; opened on request, since each session is billed. */
import { signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { Failure, request, send } from "../api/client";
import type { DashboardLink, Dashboards } from "../api/types";
import { t } from "../i18n/language";
import { useLoad } from "../ui/load";
import { Section } from "../ui/section";
import { failureText } from "../ui/states";

export function Dashboard() {
  const loaded = useLoad((aborted) => request<Dashboards>("/v1/dashboards", { signal: aborted }), []);
  return (
    <>
      {loaded.value.value?.items.map((name) => (
        <Embedded key={name} name={name} />
      ))}
    </>
  );
}

function Embedded({ name }: { name: string }) {
  const link = useMemo(() => signal<DashboardLink | null>(null), []);
  const problem = useMemo(() => signal<string | null>(null), []);
  async function open(): Promise<void> {
    problem.value = null;
    try {
      link.value = await send<DashboardLink>(`/v1/dashboards/${encodeURIComponent(name)}/links`);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      problem.value = failureText(error);
    }
  }
  const title = t("history.dashboard", { name });
  return (
    <Section id={`dashboard-${name}`} title={title}>
      {link.value ? (
        <iframe class="dashboard" src={link.value.url} title={title} />
      ) : (
        <div class="actions">
          <button type="button" class="button" onClick={() => void open()}>
            {t("history.dashboard-open")}
          </button>
        </div>
      )}
      <p class="problem" role="alert">
        {problem.value}
      </p>
    </Section>
  );
}
