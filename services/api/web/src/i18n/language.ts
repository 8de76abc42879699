/** The language of the page: what the person chose, else the browser's, else English. */
import { effect, signal } from "@preact/signals";
import de from "./de.json";
import en from "./en.json";

export type Language = "en" | "de";
type Stem<Key> = Key extends `${infer Before}_one` ? Before : never;
export type Key = keyof typeof en;
export type PluralKey = Stem<Key>;
type Values = Record<string, string | number>;

export const LANGUAGES: Record<Language, string> = { en: "English", de: "Deutsch" };

const STORED = "sensorcast.language";
// Typed as English is: a text that is missing in a language does not compile.
const texts: Record<Language, Record<Key, string>> = { en, de };

function preferred(): Language {
  const wanted = [localStorage.getItem(STORED), ...navigator.languages];
  for (const each of wanted) {
    const short = each?.slice(0, 2).toLowerCase();
    if (short === "en" || short === "de") return short;
  }
  return "en";
}

export const language = signal<Language>(preferred());

/** What numbers and times are written in: the browser's own variant of the language, e.g. en-GB. */
export function locale(): string {
  return navigator.languages.find((each) => each.slice(0, 2).toLowerCase() === language.value) ?? language.value;
}

export function chooseLanguage(chosen: Language): void {
  localStorage.setItem(STORED, chosen);
  language.value = chosen;
}

export function startLanguage(): void {
  effect(() => {
    document.documentElement.lang = language.value;
  });
}

/** A text with its values filled in. */
export function t(key: Key, values: Values = {}): string {
  return texts[language.value][key].replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? new Intl.NumberFormat(locale()).format(value) : value;
  });
}

/** A text in the form that `count` asks for. */
export function plural(stem: PluralKey, count: number, values: Values = {}): string {
  const one = new Intl.PluralRules(locale()).select(count) === "one";
  return t(`${stem}_${one ? "one" : "other"}` as Key, { count, ...values });
}

/** A text that exists only for well-known names, else the fallback. */
export function known(key: string, fallback: string): string {
  return (texts[language.value] as Record<string, string>)[key] ?? fallback;
}
