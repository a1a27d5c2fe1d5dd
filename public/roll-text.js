// The texts of the roll in the page's language, with numbers and times by its rules.

// Of the same build: a cache may hold that of another one.
const { fill, locale, number, time } = await import(`./format.js${new URL(import.meta.url).search}`);

const { lang } = document.documentElement;
/** What scripts say, which comes with the page. */
const { causes: texts } = JSON.parse(document.getElementById("start-data").textContent);
/** Digits are Latin everywhere, as the server writes them. */
const names = new Intl.ListFormat(lang);
const moments = new Intl.DateTimeFormat(locale, {
  numberingSystem: "latn",
  weekday: "short",
  day: "numeric",
  month: "short",
  hour: "numeric",
  minute: "2-digit",
});

export { number };
/** A time of the server, in seconds, as a clock shows it. */
export const clock = time;
/** A time in milliseconds, with its day. */
export const moment = (milliseconds) => moments.format(milliseconds);
/** Names as a part of a sentence. */
export const list = (parts) => names.format(parts);

const formatted = (value) => (typeof value === "number" ? number(value) : String(value));
/** The number that chooses the plural form comes first. */
const words = (key, values, shown) => fill(texts[`roll-${key}`], shown, typeof values[0] === "number" ? values[0] : 0);

/** A text with these values in its places. */
export function say(key, ...values) {
  return words(key, values, values.map(formatted));
}

/** The same as nodes: names get an element of their own, so that their direction affects nothing around them. */
export function nodes(key, ...values) {
  const places = values.map((_, index) => `{${index}}`);
  const parts = words(key, values, places).split(/(\{\d\})/);
  return parts.filter(Boolean).map((part) => {
    const index = places.indexOf(part);
    if (index < 0) return part;
    const element = document.createElement("bdi");
    element.translate = false;
    element.textContent = formatted(values[index]);
    return element;
  });
}
