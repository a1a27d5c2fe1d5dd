// Numbers, plurals and times by the rules of the page's language: the WASM and other scripts use them.

const { lang } = document.documentElement;
/** The language of the page as the visitor's region writes it, which decides between 9:02 and 9:02 AM. */
export const locale = navigator.languages?.find((tag) => tag.split("-")[0] === lang) ?? lang;

/** The plural categories of CLDR, in the order of the forms of a text. */
const CATEGORIES = ["zero", "one", "two", "few", "many", "other"];

/** Digits are Latin everywhere, as the server writes them. */
const LATIN = { numberingSystem: "latn" };
const numbers = new Intl.NumberFormat(lang, LATIN);
const plurals = new Intl.PluralRules(lang);
const times = new Intl.DateTimeFormat(locale, { ...LATIN, hour: "numeric", minute: "2-digit" });
const durations = new Intl.RelativeTimeFormat(`${lang}-u-nu-latn`, { style: "short" });

/** The units of durations with their length in seconds, the largest first. */
const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** A number with the separators of the language. */
export const number = (count) => numbers.format(count);

/** The place of a number's plural category in `CATEGORIES`. */
export const plural = (count) => CATEGORIES.indexOf(plurals.select(count));

/** The hour and minute of a time in seconds since the Unix epoch. */
export const time = (seconds) => times.format(seconds * 1_000);

/** A duration in seconds, in its largest unit: "2 min. ago". */
export function ago(seconds) {
  const [unit, length] = UNITS.find((entry) => seconds >= entry[1]) ?? UNITS[3];
  return durations.format(-Math.floor(seconds / length), unit);
}

/** A text with these values in place of `{0}`, `{1}` and so on; of several forms the one for the number `count`. */
export function fill(text, values, count = 0) {
  const forms = text.split("|");
  const form = forms[plural(count)] || forms.at(-1);
  return form.replace(/\{(\d)\}/g, (_, index) => values[index]);
}

/** Writes the times that the server rendered: it does not know the visitor's time zone. */
function showTimes() {
  for (const element of document.querySelectorAll("[data-at]")) element.textContent = time(Number(element.dataset.at));
}

showTimes();
globalThis.rollcallFormat = { number, plural, time, ago, showTimes };
