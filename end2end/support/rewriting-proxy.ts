import { createServer, request, type IncomingMessage, type Server } from "node:http";
import { once } from "node:events";
import { connect, type AddressInfo, type Socket } from "node:net";

/** What a proxy answers with in the place of a page: other HTML, or other headers. */
export type Rewrite = (page: { html: string; headers: Record<string, string | string[] | undefined> }) => void;

/**
 * An HTTP proxy that changes pages on their way, as optimisers do. Playwright's own way to do so makes Chromium take
 * the page for one of the public internet, which may not open sockets to this machine.
 */
export class RewritingProxy {
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly listener: Server) {}

  /** A proxy in front of a server. */
  static async before(server: { url: string }, rewrite: Rewrite): Promise<RewritingProxy> {
    const target = new URL(server.url);
    const listener = createServer((incoming, outgoing) => {
      const { method, url, headers } = incoming;
      const options = { host: target.hostname, port: target.port, method, path: url };
      // Uncompressed, so that it can be changed.
      const forwarded = request({ ...options, headers: { ...headers, "accept-encoding": "identity" } }, (response) => {
        if (response.headers["content-type"]?.startsWith("text/html")) void answerWithPage(response);
        else response.pipe(outgoing.writeHead(response.statusCode ?? 502, response.headers));
      });
      forwarded.on("error", () => outgoing.destroy());
      incoming.pipe(forwarded);

      async function answerWithPage(response: IncomingMessage) {
        const chunks = await response.toArray();
        const page = { html: Buffer.concat(chunks as Buffer[]).toString(), headers: { ...response.headers } };
        rewrite(page);
        delete page.headers["content-length"];
        delete page.headers["transfer-encoding"];
        outgoing.writeHead(response.statusCode ?? 502, page.headers).end(page.html);
      }
    });
    const proxy = new RewritingProxy(listener);
    listener.on("connection", (socket) => proxy.remember(socket));
    listener.on("upgrade", (incoming: IncomingMessage, client: Socket, head: Buffer) => {
      const upstream = connect(Number(target.port), target.hostname);
      proxy.remember(upstream);
      const lines = incoming.rawHeaders.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`));
      upstream.write(`GET ${incoming.url} HTTP/1.1\r\n${lines.join("")}\r\n`);
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    return proxy;
  }

  /** The URL of the server through this proxy. */
  get url(): string {
    return `http://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  /** Closes the proxy and every connection through it. */
  dispose(): void {
    this.listener.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private remember(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => this.sockets.delete(socket));
  }
}
