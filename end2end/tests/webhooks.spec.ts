// The receiver of docs/integrate.md, as it stands there, with the package `standardwebhooks`: it verifies every message.

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";

import { expect, test } from "../support/fixtures";
import { receiverOf } from "../support/snippets";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** A port that was free a moment ago: the receiver of the page has one of its own. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === "string") throw new Error("The system gave no port.");
  return address.port;
}

/** The receiver in a process of its own, which prints its lists after each message. */
class Receiver {
  private readonly program: ChildProcess;
  private readonly lines: Interface;
  private lists = "";

  constructor(folder: string, server: string, port: number, key: string) {
    const file = join(folder, "receiver.mjs");
    const print = `
const show = () => {
  const names = [...rooms].map(([room, { people }]) => [room, [...people.values()].map(({ name }) => name)]);
  console.log(JSON.stringify(Object.fromEntries(names.filter(([, people]) => people.length > 0))));
};
setInterval(show, 50);
`;
    writeFileSync(file, receiverOf(server, port) + print);
    const env = { ...process.env, WEBHOOK_SECRET: SECRET, ROLLCALL_KEY: key };
    this.program = spawn(process.execPath, [file], { env, stdio: ["ignore", "pipe", "inherit"] });
    this.lines = createInterface({ input: this.program.stdout! });
    this.lines.on("line", (line) => (this.lists = line));
  }

  /** Waits until the receiver knows these people and no others. */
  async knows(people: Record<string, string[]>): Promise<void> {
    await expect.poll(() => this.lists, { timeout: 40_000 }).toBe(JSON.stringify(people));
  }

  stop(): void {
    this.program.kill("SIGKILL");
  }
}

test("receiver of the documentation verifies every message and has the lists, also after kill -9", async ({
  serverWith,
  clients,
  room,
}) => {
  // Beside the packages, so that the receiver finds them.
  const folder = mkdtempSync(join(__dirname, "..", "node_modules", ".receiver-"));
  const port = await freePort();
  const settings = join(folder, "Leptos.toml");
  const table = `[[webhooks]]\nurl = "http://127.0.0.1:${port}/hooks"\nsecret = "${SECRET}"\n`;
  writeFileSync(settings, table, { mode: 0o600 });
  const server = await serverWith(["--config", settings]);
  const receiver = new Receiver(folder, server.url, port, server.makeKey("rooms:read,users:read"));
  try {
    const [ana, bo] = await clients.joinInOrder(server, room, ["Ana Ⓐ", "Bo"]);
    await receiver.knows({ [room]: ["Ana Ⓐ", "Bo"] });
    bo!.send({ event: "leave" });
    await receiver.knows({ [room]: ["Ana Ⓐ"] });
    await clients.join(server, `${room}-2`, "Cy");
    await server.kill();
    await server.start();
    await clients.join(server, room, "Dana");
    // Ana and Cy do not come back, and their rows end after their grace.
    await receiver.knows({ [room]: ["Dana"] });
    ana!.abandon();
  } finally {
    receiver.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
