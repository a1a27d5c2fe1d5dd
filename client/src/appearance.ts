// What <roll-call> looks like: after the embedded view (style/embed.css), with names that a page can set.

/** One sheet for all elements of a page. A constructed sheet needs no `style-src`. */
export function styleSheet(): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  return sheet;
}

/** The hue of a person's face: one of twelve, as on Rollcall's own pages. */
export function hueOf(id: string): number {
  let mixed = 0;
  for (const letter of id) mixed = (Math.imul(mixed, 31) + letter.charCodeAt(0)) >>> 0;
  return (mixed % 12) * 30 + 25;
}

/** The initials of the first and the last word. */
export function initials(name: string): string {
  const words = name.split(" ");
  // A zero width non-joiner keeps two Arabic initials from being joined like letters of a word.
  return [...new Set([words[0]!, words.at(-1)!])].map(initial).join("\u200c");
}

/** The first character with everything that modifies it, without punctuation before it. */
function initial(word: string): string {
  const letters = word.replace(/^[!-/:-@[-`{-~]+/, "") || word;
  return [...new Intl.Segmenter().segment(letters)][0]?.segment ?? "";
}

const STYLE = `
:host{display:block;padding:.75em 1em;border-radius:1em;background:var(--rollcall-background,light-dark(#f7f2e8,#131519));color:var(--rollcall-text,light-dark(#24262c,#ecebe6));font:1rem/1.45 var(--rollcall-font,system-ui,sans-serif);--soft:var(--rollcall-soft,light-dark(#5c564c,#aea99e));--accent:var(--rollcall-accent,light-dark(#17694c,#63cfa1))}
:host([hidden]){display:none}
p,ul{margin:0;padding:0}
.number{color:var(--accent);font-size:2em;line-height:1.1}
.faces{display:flex;flex-wrap:wrap;gap:.5em;padding-block:.25em;list-style:none}
li{position:relative}
i{display:grid;min-inline-size:2.5em;block-size:2.5em;place-items:center;border-radius:9em;background:light-dark(oklch(.89 .065 var(--hue)),oklch(.4 .07 var(--hue)));color:light-dark(oklch(.35 .09 var(--hue)),oklch(.94 .04 var(--hue)));font-style:normal;font-weight:600;text-transform:uppercase}
.avatar::after{position:absolute;inset-block-end:-1px;inset-inline-end:-1px;inline-size:.8em;block-size:.8em;border-radius:9em;background:var(--accent);content:""}
[data-state=away] .avatar::after{block-size:.4em;background:var(--soft)}
[data-state=reconnecting] .avatar{outline:.2em dashed var(--soft)}
[data-state=reconnecting] .avatar::after{content:none}
.rest{background:none;color:inherit}
.names{color:var(--soft);overflow-wrap:anywhere}
.note{color:var(--rollcall-warn,light-dark(#784100,#f2bb6b))}
:host([data-stale]) :is(.number,.avatar){filter:grayscale(1)}
.announcer{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
`;
