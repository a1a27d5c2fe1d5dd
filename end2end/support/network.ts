import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/** The condition of a network. */
export type NetworkCondition =
  /** Everything gets through. */
  | "clear"
  /** Nothing gets through, and connections stay half-open. */
  | "silent"
  /** New connections fail, and existing ones are reset. */
  | "down"
  /** WebSockets are refused, everything else gets through. */
  | "no-websockets";

/** A TCP proxy between browsers and a server, which a test can break in the ways that networks do. */
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

  /** The URL of the server through this network. */
  get url(): string {
    return `http://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  /** Changes the condition, also for existing connections. */
  setCondition(condition: NetworkCondition): void {
    // Data was dropped while silent, so the rest of those streams would be invalid.
    const mustBreak = this.condition === "silent" || condition === "down";
    this.condition = condition;
    if (mustBreak) this.cut();
  }

  /** Resets every connection; new ones get through. */
  cut(): void {
    for (const [client, server] of this.pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    this.pairs.clear();
  }

  /** Closes the proxy. */
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
      // While silent, the server does not learn of it either.
      if (this.condition !== "silent") server.end();
    });
    server.on("close", () => {
      if (this.condition !== "silent") client.end();
    });
  }
}
