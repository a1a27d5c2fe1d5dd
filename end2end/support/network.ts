import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/** What a network can do to those who use it. */
export type NetworkCondition =
  /** Everything gets through. */
  | "clear"
  /** Nothing gets through any more, and nobody is told: half-open connections. */
  | "silent"
  /** Nobody gets a connection, and those that were there are broken. */
  | "down"
  /** WebSockets are refused, all else gets through. */
  | "no-websockets";

/** A network between browsers and a server, which a test can break in every way that networks do. */
export class Network {
  private condition: NetworkCondition = "clear";
  private readonly pairs = new Map<Socket, Socket>();

  private constructor(
    private readonly listener: Server,
    private readonly target: URL,
  ) {}

  /** A network in front of a server. */
  static async before(server: { url: string }): Promise<Network> {
    const listener = createServer({ allowHalfOpen: false });
    const network = new Network(listener, new URL(server.url));
    listener.on("connection", (client) => network.admit(client));
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    return network;
  }

  /** Where the server is to be found, by way of this network. */
  get url(): string {
    return `http://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  /** From now on the network is like this, for those who are in it already too. */
  setCondition(condition: NetworkCondition): void {
    // Of what was sent into the silence, the rest would make no sense.
    const mustBreak = this.condition === "silent" || condition === "down";
    this.condition = condition;
    if (mustBreak) this.cut();
  }

  /** Breaks every connection, without a word, and lets new ones through. */
  cut(): void {
    for (const [client, server] of this.pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    this.pairs.clear();
  }

  /** Takes the network away. */
  dispose(): void {
    this.listener.close();
    this.cut();
  }

  private admit(client: Socket): void {
    client.on("error", () => undefined);
    if (this.condition === "down") {
      client.resetAndDestroy();
      return;
    }
    const server = connect(Number(this.target.port), this.target.hostname);
    server.on("error", () => client.destroy());
    this.pairs.set(client, server);
    client.on("data", (data: Buffer) => {
      if (this.condition === "silent") return;
      if (this.condition === "no-websockets" && /^upgrade:\s*websocket/im.test(data.toString("latin1"))) {
        client.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
      }
      server.write(data);
    });
    server.on("data", (data: Buffer) => {
      if (this.condition !== "silent") client.write(data);
    });
    client.on("close", () => {
      this.pairs.delete(client);
      // What nobody hears, the server does not hear either.
      if (this.condition !== "silent") server.end();
    });
    server.on("close", () => {
      if (this.condition !== "silent") client.end();
    });
  }
}
