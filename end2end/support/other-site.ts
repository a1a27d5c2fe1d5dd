import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A site of another origin, with one page. */
export interface OtherSite {
  url: string;
  close: () => void;
}

/** The servers of the tests are on 127.0.0.1, so `localhost` is another site. */
type Host = "localhost" | "127.0.0.1";

/** What the frames and the page around them are like. */
interface Frames {
  /** Further attributes of each frame. */
  attributes?: string;
  headers?: Record<string, string>;
  host?: Host;
}

/** Serves the page that the README recommends, with a frame for each of these addresses. */
export async function siteWithFrames(
  urls: readonly string[],
  { attributes = "", headers = {}, host = "localhost" }: Frames = {},
): Promise<OtherSite> {
  const frames = urls.map(
    (url) => `<iframe src="${url}" title="Who is here" width="400" height="240" ${attributes}></iframe>`,
  );
  return siteWith(() => ({ body: frames.join(""), headers }), host);
}

/** Serves a page with this content, which may be another one at each visit. */
export async function siteWith(
  page: () => { body: string; attributes?: string; headers?: Record<string, string> },
  host: Host = "localhost",
): Promise<OtherSite> {
  const site = createServer((_, response) => {
    const { body, attributes = "", headers = {} } = page();
    const start = `<!doctype html><html lang="en" ${attributes}><link rel="icon" href="data:,"><title>Elsewhere</title>`;
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...headers }).end(start + body);
  });
  site.listen(0, host);
  await once(site, "listening");
  const { port } = site.address() as AddressInfo;
  return { url: `http://${host}:${port}/`, close: () => site.close() };
}
