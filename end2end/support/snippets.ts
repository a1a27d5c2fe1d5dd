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

/** The receiver of webhooks of the page, as it stands there but for server and port. */
export function receiverOf(server: string, port: number): string {
  const page = readFileSync(join(__dirname, "..", "..", "docs", "integrate.md"), "utf8");
  const snippet = /^```js\n(import \{ createServer \}.*?)^```$/ms.exec(page)?.[1];
  if (!snippet?.includes(SERVER)) throw new Error("docs/integrate.md has no receiver of webhooks.");
  const listen = ".listen(8080)";
  if (!snippet.includes(listen)) throw new Error(`The receiver of docs/integrate.md has no ${listen}.`);
  return snippet.replaceAll(SERVER, server).replace(listen, `.listen(${port}, "127.0.0.1")`);
}
