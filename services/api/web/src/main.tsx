/** Starts the page. */
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/fleet.css";
import "./styles/details.css";
import { render } from "preact";
import { App } from "./app";
import { startClock } from "./clock";
import { startLanguage } from "./i18n/language";
import { startRouter } from "./router";
import { startSession } from "./session";
import { startTheme } from "./theme";

startTheme();
startLanguage();
startClock();
startRouter();

const root = document.getElementById("app");
if (!root) throw new Error("index.html: no element #app");
render(<App />, root);
startSession();
