import type { Page } from "puppeteer-core";

import type { Wire } from "../../support/visitor";

/** What `recordWire` leaves in each document. */
interface Recording {
  recordedWire?: Wire;
}

/** Records the frames of each document that the page loads. WebDriver BiDi has no events for them. */
export async function recordWire(page: Page): Promise<void> {
  await page.evaluateOnNewDocument(() => {
    const wire: Wire = { sent: [], received: [], sockets: [] };
    (window as Recording).recordedWire = wire;
    window.WebSocket = class extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        wire.sockets.push(this.url);
        this.addEventListener("message", ({ data }) => wire.received.push(JSON.parse(data as string)));
      }

      override send(data: string): void {
        wire.sent.push(JSON.parse(data));
        super.send(data);
      }
    };
  });
}

/** The frames on the sockets of the page's document so far. */
export async function wireOf(page: Page): Promise<Wire> {
  const wire = await page.evaluate(() => (window as Recording).recordedWire);
  return wire ?? { sent: [], received: [], sockets: [] };
}
