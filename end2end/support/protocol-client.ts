import WebSocket from "ws";

import type { ClientFrame, ServerFrame } from "./protocol";
import type { SharedServer } from "./shared-server";

/** How many sockets are opened at the same time. */
const MOST_CONCURRENT = 20;

/** A person without a browser: one socket that speaks the protocol. */
export class ProtocolClient {
  /** All frames of the server, in order. */
  readonly frames: ServerFrame[] = [];
  /** The close code of the socket. */
  readonly closed: Promise<number>;
  private readonly listeners = new Set<() => void>();

  private constructor(private readonly socket: WebSocket) {
    socket.on("message", (data) => {
      this.frames.push(JSON.parse(data.toString()) as ServerFrame);
      for (const listener of this.listeners) listener();
    });
    // Errors show in the close code.
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => socket.once("close", resolve));
  }

  /** Opens a socket and sends nothing. */
  static async connect(server: SharedServer, room: string): Promise<ProtocolClient> {
    const socket = new WebSocket(server.socketOf(room), { perMessageDeflate: false });
    const person = new ProtocolClient(socket);
    await new Promise<void>((opened, failed) => {
      socket.once("open", opened);
      socket.once("error", failed);
    });
    return person;
  }

  /** Opens a socket and joins with the first frame. */
  static async join(server: SharedServer, room: string, name: string): Promise<ProtocolClient> {
    const person = await ProtocolClient.connect(server, room);
    person.send({ event: "got_a_new_user", name });
    await person.id();
    return person;
  }

  send(frame: ClientFrame): void {
    this.socket.send(JSON.stringify(frame));
  }

  /** This person's own id, which comes with the first reply. */
  async id(): Promise<string> {
    const answer = await this.frame((frame) => "you" in frame);
    if (!("you" in answer) || answer.you === null) throw new Error("The server sent no id.");
    return answer.you;
  }

  /** The first frame that matches, whether received already or later. */
  async frame(matches: (frame: ServerFrame) => boolean): Promise<ServerFrame> {
    return new Promise((found) => {
      const check = () => {
        const frame = this.frames.find(matches);
        if (!frame) return;
        this.listeners.delete(check);
        found(frame);
      };
      this.listeners.add(check);
      check();
    });
  }

  /** Closes the socket with 1000. */
  async leave(): Promise<void> {
    this.socket.close(1000);
    await this.closed;
  }

  /** Drops the socket without a close frame. */
  abandon(): void {
    this.socket.terminate();
  }
}

/** The protocol clients of a test. */
export class ProtocolClients {
  private readonly people: ProtocolClient[] = [];

  async connect(server: SharedServer, room: string): Promise<ProtocolClient> {
    return this.remember(await ProtocolClient.connect(server, room));
  }

  /** One client, listed under this name. */
  async join(server: SharedServer, room: string, name: string): Promise<ProtocolClient> {
    return this.remember(await ProtocolClient.join(server, room, name));
  }

  /** Clients that join one after the other, in the order of the names. */
  async joinInOrder(server: SharedServer, room: string, names: readonly string[]): Promise<ProtocolClient[]> {
    const people: ProtocolClient[] = [];
    for (const name of names) people.push(await this.join(server, room, name));
    return people;
  }

  /** Many clients that join in no particular order. */
  async joinTogether(server: SharedServer, room: string, names: readonly string[]): Promise<void> {
    for (let from = 0; from < names.length; from += MOST_CONCURRENT) {
      const some = names.slice(from, from + MOST_CONCURRENT);
      await Promise.all(some.map((name) => this.join(server, room, name)));
    }
  }

  /** Drops all sockets. */
  abandonAll(): void {
    for (const person of this.people) person.abandon();
  }

  private remember(person: ProtocolClient): ProtocolClient {
    this.people.push(person);
    return person;
  }
}
