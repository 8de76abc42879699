/** Light, dark, or as the system has it. */
import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const STORED = "sensorcast.theme";
const systemDark = matchMedia("(prefers-color-scheme: dark)");

function stored(): Theme {
  const found = localStorage.getItem(STORED);
  return found === "light" || found === "dark" ? found : "system";
}

export const theme = signal<Theme>(stored());
const dark = signal(systemDark.matches);

/** Whether the page is dark now. */
export function isDark(): boolean {
  return theme.value === "dark" || (theme.value === "system" && dark.value);
}

export function startTheme(): void {
  systemDark.addEventListener("change", () => {
    dark.value = systemDark.matches;
  });
  effect(() => {
    document.documentElement.dataset["theme"] = isDark() ? "dark" : "light";
    if (theme.value === "system") localStorage.removeItem(STORED);
    else localStorage.setItem(STORED, theme.value);
  });
}

export function toggleTheme(): void {
  theme.value = isDark() ? "light" : "dark";
}
