/** The frame of every view: navigation, connection, language, colours; and the view that the address asks for. */
import { lazy, Suspense } from "preact/compat";
import { connection, lostAt } from "./live/stream";
import { now } from "./clock";
import { FleetView } from "./fleet/view";
import { relative } from "./i18n/format";
import { chooseLanguage, type Language, language, LANGUAGES, t } from "./i18n/language";
import { IncidentsView } from "./incidents/list";
import { links, view } from "./router";
import { RulesView } from "./rules/list";
import { session, signOut } from "./session";
import { SignIn } from "./sign-in";
import { isDark, toggleTheme } from "./theme";
import { Loading } from "./ui/states";

// They bring the charts, which are most of the page's weight; the fleet is on the screen before.
const DeviceView = lazy(async () => ({ default: (await import("./device/view")).DeviceView }));
const IncidentView = lazy(async () => ({ default: (await import("./incidents/detail")).IncidentView }));
const HistoryView = lazy(async () => ({ default: (await import("./history/view")).HistoryView }));
const StatusView = lazy(async () => ({ default: (await import("./status/view")).StatusView }));
const RecipientView = lazy(async () => ({ default: (await import("./people/recipient-form")).RecipientView }));
const RecipientsView = lazy(async () => ({ default: (await import("./people/recipients")).RecipientsView }));
const SilencesView = lazy(async () => ({ default: (await import("./people/silences")).SilencesView }));
const ProductsView = lazy(async () => ({ default: (await import("./products/list")).ProductsView }));
const ProductView = lazy(async () => ({ default: (await import("./products/form")).ProductView }));
const EscalationsView = lazy(async () => ({ default: (await import("./escalations/list")).EscalationsView }));
const EscalationView = lazy(async () => ({ default: (await import("./escalations/form")).EscalationView }));
const KeysView = lazy(async () => ({ default: (await import("./keys/view")).KeysView }));
const RuleView = lazy(async () => ({ default: (await import("./rules/form")).RuleView }));

export function App() {
  if (session.value.state === "starting") return null;
  const signedIn = session.value.state === "signed-in";
  return (
    <>
      <a class="skip" href="#main">
        {t("app.skip")}
      </a>
      <Header signedIn={signedIn} />
      {signedIn ? <Banner /> : null}
      <main id="main" tabIndex={-1}>
        {signedIn ? (
          <Suspense fallback={<Loading />}>
            <CurrentView />
          </Suspense>
        ) : (
          <SignIn />
        )}
      </main>
    </>
  );
}

function CurrentView() {
  const { value: shown } = view;
  switch (shown.name) {
    case "fleet":
      return <FleetView />;
    case "device":
      return <DeviceView key={shown.device} device={shown.device} />;
    case "incidents":
      return <IncidentsView />;
    case "incident":
      return <IncidentView key={shown.id} id={shown.id} />;
    case "history":
      return <HistoryView />;
    case "recipients":
      return <RecipientsView />;
    case "recipient":
      return <RecipientView key={shown.id} id={shown.id} />;
    case "products":
      return <ProductsView />;
    case "product":
      return <ProductView key={shown.id} id={shown.id} />;
    case "escalations":
      return <EscalationsView />;
    case "escalation":
      return <EscalationView key={shown.id} id={shown.id} />;
    case "keys":
      return <KeysView />;
    case "silences":
      return <SilencesView />;
    case "status":
      return <StatusView />;
    case "rules":
      return <RulesView />;
    case "rule":
      return <RuleView key={shown.id} id={shown.id} />;
    case "missing":
      return <Missing />;
  }
}

function Missing() {
  return (
    <div class="card state">
      <h1>{t("app.missing")}</h1>
      <a href={links.fleet}>{t("app.to-fleet")}</a>
    </div>
  );
}

function Header({ signedIn }: { signedIn: boolean }) {
  return (
    <header class="top">
      <div class="top-inner">
        <a class="brand" href={links.fleet}>
          <img src="/icon.svg" alt="" width="28" height="28" />
          <span>{t("app.name")}</span>
        </a>
        {signedIn ? <Navigation /> : null}
        <div class="top-end">
          {signedIn ? <ConnectionBadge /> : null}
          <LanguageChoice />
          <button
            type="button"
            class="icon-button"
            aria-label={t(isDark() ? "app.to-light" : "app.to-dark")}
            title={t(isDark() ? "app.to-light" : "app.to-dark")}
            onClick={toggleTheme}
          >
            <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
              <path
                fill="currentColor"
                d={
                  isDark()
                    ? "M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10zm-1-5h2v3h-2zm0 17h2v3h-2zM2 11h3v2H2zm17 0h3v2h-3zM4.200 5.600l1.400-1.400 2.100 2.100-1.400 1.400zm12.100 12.100 1.400-1.400 2.100 2.100-1.400 1.400zm0-11.400 2.100-2.100 1.400 1.400-2.100 2.100zM4.200 18.400l2.100-2.100 1.400 1.400-2.100 2.100z"
                    : "M12.500 2.500a9.500 9.500 0 1 0 9 12.600A8 8 0 0 1 12.500 2.500z"
                }
              />
            </svg>
          </button>
          {signedIn ? (
            <button type="button" class="icon-button" aria-label={t("app.sign-out")} title={t("app.sign-out")} onClick={signOut}>
              <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
                <path
                  fill="none"
                  stroke="currentColor"
                  stroke-width="2"
                  stroke-linecap="round"
                  stroke-linejoin="round"
                  d="M10 4H5v16h5M15 8l4 4-4 4M19 12H9"
                />
              </svg>
            </button>
          ) : null}
        </div>
      </div>
    </header>
  );
}

const RULES: ReadonlySet<string> = new Set(["rules", "rule", "products", "product", "recipients", "recipient", "escalations", "escalation", "silences", "keys"]);

function Navigation() {
  const at = view.value.name;
  const entries = [
    { href: links.fleet, text: t("nav.fleet"), current: at === "fleet" || at === "device" },
    { href: links.incidents, text: t("nav.incidents"), current: at === "incidents" || at === "incident" },
    { href: links.history, text: t("nav.history"), current: at === "history" },
    { href: links.rules, text: t("nav.rules"), current: RULES.has(at) },
    { href: links.status, text: t("nav.status"), current: at === "status" },
  ];
  return (
    <nav aria-label={t("app.navigation")}>
      {entries.map((entry) => (
        <a key={entry.href} href={entry.href} {...(entry.current ? { "aria-current": "page" } : {})}>
          {entry.text}
        </a>
      ))}
    </nav>
  );
}

function LanguageChoice() {
  return (
    <select
      class="language"
      aria-label={t("app.language")}
      value={language.value}
      onChange={(event) => chooseLanguage(event.currentTarget.value as Language)}
    >
      {Object.entries(LANGUAGES).map(([code, name]) => (
        <option key={code} value={code} lang={code}>
          {name}
        </option>
      ))}
    </select>
  );
}

function isLive(): boolean {
  return ["fleet", "device", "incidents", "incident"].includes(view.value.name);
}

function ConnectionBadge() {
  const { value: state } = connection;
  if (!isLive() || state === "none") return null;
  return (
    <span class={`connection connection-${state}`} role="status">
      <span class="connection-dot" aria-hidden="true" />
      <span class="connection-text">{t(`live.${state}`)}</span>
    </span>
  );
}

function Banner() {
  if (!isLive()) return null;
  if (connection.value === "waiting") return <p class="banner">{t("live.waiting-banner")}</p>;
  if (connection.value !== "lost") return null;
  const since = lostAt.value;
  const text = since === null ? t("live.banner") : t("live.banner-since", { age: relative(since, Math.max(since, now.value)) });
  return <p class="banner banner-lost">{text}</p>;
}
