// A restart that nobody notices: everyone is there again as they were, and nobody was told of
// anybody's going or coming.

import { NO_CONNECTION } from "../support/complaints";
import { expect, test } from "../support/fixtures";
import { happenings } from "../support/protocol";
import { Regular } from "../support/regulars";
import { UNTIL_A_ROW_IS_GONE } from "../support/visitor";

/** As many sockets as a room of a conference has. */
const SOCKETS = 300;
const ROOMS = 3;
/** The sockets of each room, with two for every person of the first ten. */
const SOCKETS_A_ROOM = SOCKETS / ROOMS;
const PERSONS_WITH_TWO_TABS = 10;
/** How long the server waits before it calls somebody away, and some more. */
const UNTIL_AWAY = { timeout: 45_000 };

test("a restart under 300 sockets and three browsers is seen by nobody", async ({
  newVisitor,
  mortalServer: server,
  complaints,
  room,
}) => {
  test.slow();
  complaints.areProvoked(NO_CONNECTION);
  const rooms = Array.from({ length: ROOMS }, (_, number) => `${room}-${number}`);
  const regulars: Regular[] = [];
  try {
    for (const name of rooms) regulars.push(...(await fill(name)));
    expect(regulars).toHaveLength(SOCKETS);

    // Three browsers: one with two tabs, one that nobody looks at, one that is being reloaded.
    const [roomWithTabs, roomUnseen, roomReloading] = rooms as [string, string, string];
    const ana = await newVisitor({ of: server });
    await ana.openAndJoin(roomWithTabs, "Ana");
    const secondTab = await ana.openTab();
    await secondTab.open(roomWithTabs);
    const bo = await newVisitor({ of: server });
    await bo.openAndJoin(roomUnseen, "Bo");
    await bo.isSeen(false);
    const cy = await newVisitor({ of: server });
    await cy.openAndJoin(roomReloading, "Cy");
    await expect(bo.ownRow).toHaveAttribute("data-state", "away", UNTIL_AWAY);

    // In each room one is in the middle of a reload, and one has just been cut off.
    const absent = rooms.flatMap((_, index) => {
      const here = regulars.slice(index * SOCKETS_A_ROOM, (index + 1) * SOCKETS_A_ROOM);
      const [reloading, cutOff] = [here.at(-1), here.at(-2)];
      if (!reloading || !cutOff) throw new Error("The room is empty.");
      return { reloading, cutOff };
    });
    for (const { cutOff } of absent) cutOff.break();
    for (const visitor of [ana, secondTab, bo, cy]) {
      await expect(visitor.roster.locator('[data-state="reconnecting"]')).toHaveCount(1);
    }
    const lists = async () =>
      Promise.all(
        [ana, secondTab, bo].map(async (visitor) =>
          visitor.rows.evaluateAll((rows) => rows.map((row) => row.getAttribute("data-user-id"))),
        ),
      );
    const before = await lists();
    const cysRows = await cy.rows.count();
    // What is told from here on is told of the restart.
    for (const regular of regulars) regular.told.length = 0;
    const wires = [ana, secondTab, bo].map(({ wire }) => ({ wire, from: wire.received.length }));
    const listsBefore = regulars.map((regular) => regular.lists);
    for (const { reloading } of absent) reloading.close();
    await cy.page.goto("about:blank");
    expect(await server.terminate()).toBe(0);
    await server.start();

    await cy.open(roomReloading);
    await Promise.all(regulars.map((regular) => regular.follows()));
    for (const visitor of [ana, secondTab, bo]) await visitor.hasHealed();
    for (const visitor of [ana, secondTab, bo, cy]) {
      await expect(visitor.roster.locator('[data-state="reconnecting"]')).toHaveCount(0);
    }
    // Whoever had not come back would be gone by the time that somebody is who breaks off now.
    const passersBy = rooms.map((name) => new Regular({ server, room: name, name: "X", tab: "x" }));
    regulars.push(...passersBy);
    await Promise.all(passersBy.map((regular) => regular.follows()));
    const xRows = [ana, secondTab, bo, cy].map(({ names }) => names.filter({ hasText: /^X$/ }));
    for (const xRow of xRows) await expect(xRow).toHaveCount(1);
    for (const regular of passersBy) regular.break();
    for (const xRow of xRows) await expect(xRow).toHaveCount(0, UNTIL_A_ROW_IS_GONE);

    const told = [
      ...regulars.slice(0, SOCKETS).flatMap((regular) => regular.told),
      ...wires.flatMap(({ wire, from }) => happenings(wire.received.slice(from))),
    ];
    const came = told.flatMap(({ new_user = [] }) => new_user);
    const passing = new Set(came.filter(({ name }) => name === "X").map(({ id }) => id));
    const went = told.flatMap(({ disconnect_user = {} }) => Object.values(disconnect_user).flat());
    expect(passing.size).toBe(ROOMS);
    expect(came.filter(({ id }) => !passing.has(id))).toEqual([]);
    expect(went.filter((id) => !passing.has(id))).toEqual([]);
    // Those who were cut off are here again; nobody else looked different for a moment.
    const changed = told.flatMap(({ user_changed = {} }) => Object.values(user_changed).flat());
    const ids = new Set(changed.filter((id) => typeof id === "string" && !passing.has(id)));
    expect(ids.size).toBe(ROOMS);
    // Nobody needed the whole list, and the order is what it was.
    expect(regulars.slice(0, SOCKETS).map((regular) => regular.lists)).toEqual(listsBefore);
    expect(await lists()).toEqual(before);
    await expect(cy.rows).toHaveCount(cysRows);
    await expect(bo.ownRow).toHaveAttribute("data-state", "away");
    // All but those who were not there were told that the server is coming back.
    const warned = regulars.filter(({ closed }) => closed.includes(1012));
    expect(warned).toHaveLength(SOCKETS - 2 * ROOMS);
  } finally {
    for (const regular of regulars) regular.abandon();
  }

  /** As many as a room holds in this test, some of them with two tabs, one in ten unseen. */
  async function fill(name: string): Promise<Regular[]> {
    const people = Array.from({ length: SOCKETS_A_ROOM - PERSONS_WITH_TWO_TABS }, (_, number) => {
      const isVisible = number % 10 !== 0;
      return new Regular({ server, room: name, name: `Person ${number}`, tab: "t1", isVisible });
    });
    await Promise.all(people.map((regular) => regular.follows()));
    const others = people
      .slice(0, PERSONS_WITH_TWO_TABS)
      .map(({ cookie }, number) => {
        const name_ = `Person ${number}`;
        return new Regular({ server, room: name, name: name_, tab: "t2", cookie });
      });
    await Promise.all(others.map((regular) => regular.follows()));
    // Those without a second tab come last.
    return [...others, ...people];
  }
});
