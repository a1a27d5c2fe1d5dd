import { once } from "node:events";
import { createServer, request, type IncomingMessage, type OutgoingHttpHeaders, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";

/** What a proxy does with the requests that it passes on. */
export interface ReverseProxyOptions {
  /** The path that is removed from the beginning of every address. */
  stripped?: string;
  /** Addresses that do not begin with this get 404, as the rest of a host that others use. */
  only?: string;
  /** Cookies are dropped in both directions, as in a browser that refuses them. */
  dropsCookies?: boolean;
  /** Upgrades are answered with 403. */
  refusesUpgrades?: boolean;
}

/** An HTTP proxy, whose address is known before the server behind it is started. */
export class ReverseProxy {
  private target: URL | undefined;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly listener: Server,
    private readonly options: ReverseProxyOptions,
  ) {}

  static async start(options: ReverseProxyOptions = {}): Promise<ReverseProxy> {
    const listener = createServer();
    const proxy = new ReverseProxy(listener, options);
    listener.on("connection", (socket: Socket) => proxy.track(socket));
    listener.on("request", (incoming, outgoing) => {
      if (proxy.isOutside(incoming)) {
        outgoing.writeHead(404).end();
        return;
      }
      const { hostname, port } = proxy.upstream();
      const { method, headers } = incoming;
      const path = proxy.pathOf(incoming);
      const onResponse = (response: IncomingMessage) => {
        outgoing.writeHead(response.statusCode ?? 502, proxy.kept(response.headers));
        response.pipe(outgoing);
      };
      const asked = request({ hostname, port, method, path, headers: proxy.kept(headers) }, onResponse);
      asked.on("error", () => outgoing.destroy());
      outgoing.on("close", () => asked.destroy());
      incoming.pipe(asked);
    });
    listener.on("upgrade", (incoming, socket: Socket) => proxy.upgrade(incoming, socket));
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    return proxy;
  }

  /** Passes requests on to this server from now on. */
  leadsTo(server: { url: string }): void {
    this.target = new URL(server.url);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  dispose(): void {
    this.listener.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private upstream(): URL {
    if (!this.target) throw new Error("The proxy leads to no server yet.");
    return this.target;
  }

  private track(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => this.sockets.delete(socket));
  }

  private isOutside({ url = "/" }: IncomingMessage): boolean {
    return !url.startsWith(this.options.only ?? "");
  }

  private pathOf({ url = "/" }: IncomingMessage): string {
    const { stripped = "" } = this.options;
    return url.startsWith(stripped) ? url.slice(stripped.length) || "/" : url;
  }

  private kept(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
    const { cookie, "set-cookie": setCookie, ...others } = headers;
    return this.options.dropsCookies ? others : headers;
  }

  private upgrade(incoming: IncomingMessage, socket: Socket): void {
    const refusal = this.isOutside(incoming) ? "404 Not Found" : this.options.refusesUpgrades && "403 Forbidden";
    if (refusal) {
      socket.end(`HTTP/1.1 ${refusal}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    const { hostname, port } = this.upstream();
    const server = connect(Number(port), hostname);
    this.track(server);
    const lines = Object.entries(this.kept(incoming.headers)).map(([name, value]) => `${name}: ${String(value)}`);
    server.write([`GET ${this.pathOf(incoming)} HTTP/1.1`, ...lines, "", ""].join("\r\n"));
    socket.pipe(server);
    this.passHead(server, socket);
  }

  /** Passes the head of an upgrade's response on, without its cookies where they are dropped, and then everything. */
  private passHead(server: Socket, socket: Socket): void {
    let head = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      server.off("data", onData);
      const lines = head.subarray(0, end).toString("latin1").split("\r\n");
      const kept = lines.filter((line) => !this.options.dropsCookies || !/^set-cookie:/i.test(line));
      socket.write([...kept, "", ""].join("\r\n"));
      socket.write(head.subarray(end + 4));
      server.pipe(socket);
    };
    server.on("data", onData);
  }
}
