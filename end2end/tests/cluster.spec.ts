// Several servers: visitors of all of them are in one list, and pages say how old it is while the engine is silent.

import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";

import { Engine, engineProgram } from "../support/engine";
import { expect, test } from "../support/fixtures";
import { UNTIL_RECONNECTED } from "../support/visitor";

test("an old list is shown as of then, and is live again with its engine", async ({
  newVisitor,
  serverWith,
  room,
}, testInfo) => {
  const program = engineProgram();
  test.skip(!program, "Valkey or Redis is not installed");
  const engine = await Engine.start(program!);
  try {
    const key = testInfo.outputPath("person.key");
    writeFileSync(key, randomBytes(64), { mode: 0o600 });
    const settings = ["--cluster-engine", engine.address, "--person-key-file", key];
    const [one, other] = [await serverWith(settings), await serverWith(settings)];
    const ana = await newVisitor({ of: one });
    const bo = await newVisitor({ of: other });
    await ana.openAndJoin(room, "Ana");
    await bo.openAndJoin(room, "Bo");
    for (const visitor of [ana, bo]) await visitor.shows(["Ana", "Bo"]);
    const embed = await bo.page.context().newPage();
    await embed.goto(`${other.url}/r/${room}/embed`);
    await expect(embed.locator("html")).not.toHaveAttribute("data-stale");

    engine.stop();
    for (const visitor of [ana, bo]) {
      await visitor.isDisconnected();
      await expect(visitor.page.getByTestId("connection")).toContainText(/List from \d+ sec\. ago/);
      // What is known can still be read.
      await visitor.shows(["Ana", "Bo"]);
    }
    await expect(embed.locator("html")).toHaveAttribute("data-stale", /.*/);
    const late = await newVisitor({ of: one });
    await late.page.goto(`/r/${room}`);
    await late.isDisconnected();
    await late.shows(["Ana", "Bo"]);

    engine.goOn();
    for (const visitor of [ana, bo, late]) await visitor.isReconnected();
    await expect(embed.locator("html")).not.toHaveAttribute("data-stale", /.*/, UNTIL_RECONNECTED);
    await late.join("Cy");
    for (const visitor of [ana, bo, late]) await visitor.shows(["Ana", "Bo", "Cy"]);
  } finally {
    await engine.dispose();
  }
});
