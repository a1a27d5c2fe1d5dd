// What docs/integrate.md tells people to copy.

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The address that the page uses for a server, and for a room. */
const SERVER = "https://rollcall.example";
const ROOM = "team-7";

/** The first piece of HTML of the page with this text, as it stands there but for server and room. */
export function snippetWith(text: string, server: { url: string }, room: string): string {
  const page = readFileSync(join(__dirname, "..", "..", "docs", "integrate.md"), "utf8");
  const snippets = [...page.matchAll(/^```html\n(.*?)^```$/gms)].map(([, snippet]) => snippet!);
  const snippet = snippets.find((snippet) => snippet.includes(text));
  if (!snippet?.includes(SERVER)) throw new Error(`docs/integrate.md has no snippet with ${text} and ${SERVER}.`);
  return snippet.replaceAll(SERVER, server.url).replaceAll(ROOM, room);
}
