import WebSocket from "ws";

import type { ClientFrame, ServerFrame } from "./protocol";
import type { TestServer } from "./server";

/** How many sockets are opened at the same time: more would only wait for each other. */
const AT_A_TIME = 20;

/** Somebody without a browser: one socket that speaks the protocol, and no more. */
export class ProtocolClient {
  /** Everything that the server said, in order. */
  readonly frames: ServerFrame[] = [];
  /** The code that the server closed the socket with. */
  readonly closed: Promise<number>;
  private readonly listeners = new Set<() => void>();

  private constructor(private readonly socket: WebSocket) {
    socket.on("message", (data) => {
      this.frames.push(JSON.parse(data.toString()) as ServerFrame);
      for (const listener of this.listeners) listener();
    });
    // What goes wrong shows in the close code.
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => socket.once("close", resolve));
  }

  /** Opens a socket, which says nothing yet. */
  static async connect(server: TestServer, room: string): Promise<ProtocolClient> {
    const socket = new WebSocket(server.socketOf(room), { perMessageDeflate: false });
    const person = new ProtocolClient(socket);
    await new Promise<void>((opened, failed) => {
      socket.once("open", opened);
      socket.once("error", failed);
    });
    return person;
  }

  /** Opens a socket and is listed with its first frame. */
  static async join(server: TestServer, room: string, name: string): Promise<ProtocolClient> {
    const person = await ProtocolClient.connect(server, room);
    person.send({ event: "got_a_new_user", name });
    await person.id();
    return person;
  }

  send(frame: ClientFrame): void {
    this.socket.send(JSON.stringify(frame));
  }

  /** This person's own id, which comes with the first answer. */
  async id(): Promise<string> {
    const answer = await this.frame((frame) => "you" in frame);
    if (!("you" in answer) || answer.you === null) throw new Error("The server told no id.");
    return answer.you;
  }

  /** The first frame of this kind, whether it has come already or comes later. */
  async frame(isIt: (frame: ServerFrame) => boolean): Promise<ServerFrame> {
    return new Promise((found) => {
      const look = () => {
        const frame = this.frames.find(isIt);
        if (!frame) return;
        this.listeners.delete(look);
        found(frame);
      };
      this.listeners.add(look);
      look();
    });
  }

  /** Closes the socket as one should. */
  async leave(): Promise<void> {
    this.socket.close(1000);
    await this.closed;
  }

  /** Lets go of the socket, however it stands. */
  abandon(): void {
    this.socket.terminate();
  }
}

/** All the people without a browser that a test brings along. */
export class ProtocolClients {
  private readonly people: ProtocolClient[] = [];

  async connect(server: TestServer, room: string): Promise<ProtocolClient> {
    return this.remember(await ProtocolClient.connect(server, room));
  }

  /** One person who is listed under this name. */
  async join(server: TestServer, room: string, name: string): Promise<ProtocolClient> {
    return this.remember(await ProtocolClient.join(server, room, name));
  }

  /** People who are listed under these names; they arrive in the order of the names. */
  async joinInOrder(server: TestServer, room: string, names: readonly string[]): Promise<ProtocolClient[]> {
    const people: ProtocolClient[] = [];
    for (const name of names) people.push(await this.join(server, room, name));
    return people;
  }

  /** Many people who are listed, in no particular order. */
  async joinTogether(server: TestServer, room: string, names: readonly string[]): Promise<void> {
    for (let from = 0; from < names.length; from += AT_A_TIME) {
      const some = names.slice(from, from + AT_A_TIME);
      await Promise.all(some.map((name) => this.join(server, room, name)));
    }
  }

  /** Lets everyone go. */
  disperse(): void {
    for (const person of this.people) person.abandon();
  }

  private remember(person: ProtocolClient): ProtocolClient {
    this.people.push(person);
    return person;
  }
}
