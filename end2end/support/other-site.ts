import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A site of another origin, whose only page has a room's embed in a frame. */
export interface OtherSite {
  url: string;
  close: () => void;
}

/** Serves the page that the README recommends for an embed. */
export async function siteWithFrame(embed: string): Promise<OtherSite> {
  const body =
    `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Elsewhere</title>` +
    `<iframe src="${embed}" title="Who is here" width="400" height="240"></iframe>`;
  const site = createServer((_, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8").end(body);
  });
  // The servers of the tests are on 127.0.0.1, so this is another site.
  site.listen(0, "localhost");
  await once(site, "listening");
  const { port } = site.address() as AddressInfo;
  return { url: `http://localhost:${port}/`, close: () => site.close() };
}
