// A client without any code of Rollcall: Node's `ws` and one frame written by hand, in a process of its own.

import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { expect, test } from "../support/fixtures";
import type { ServerFrame } from "../support/protocol";
import { UNTIL_A_ROW_IS_REMOVED } from "../support/visitor";

const PROGRAM = join(__dirname, "..", "support", "independent-client.mjs");

/** Starts the client and returns its process, and its id in the room. */
async function start(address: string): Promise<[ChildProcessWithoutNullStreams, string]> {
  const program = spawn(process.execPath, [PROGRAM, address]);
  program.stderr.pipe(process.stderr);
  for await (const line of createInterface({ input: program.stdout })) {
    const frame = JSON.parse(line) as ServerFrame;
    if ("you" in frame && frame.you !== null) return [program, frame.you];
  }
  throw new Error("The server sent no id.");
}

test("an independent client is listed, and kill -9 removes exactly its row", async ({
  newVisitor,
  server,
  room,
}) => {
  const ana = await newVisitor();
  await ana.openAndJoin(room, "Ana");
  const [killed, killedId] = await start(server.socketOf(room));
  const [other, otherId] = await start(server.socketOf(room));
  try {
    await ana.shows(["Ana", "A stranger", "A stranger"]);
    await expect(ana.rowWithId(killedId)).toHaveAttribute("data-state", "here");

    const exited = once(killed, "exit");
    killed.kill("SIGKILL");
    await exited;
    await ana.shows(["Ana", "A stranger"], UNTIL_A_ROW_IS_REMOVED);
    await expect(ana.rowWithId(killedId)).toHaveCount(0);
    await expect(ana.rowWithId(otherId)).toHaveAttribute("data-state", "here");
  } finally {
    killed.kill("SIGKILL");
    other.kill("SIGKILL");
  }
});
