// A restart that clients don't notice: everyone is listed as before, and no departure or join is sent.

import { NO_CONNECTION } from "../support/browser-errors";
import { expect, test } from "../support/fixtures";
import { changesIn } from "../support/protocol";
import { ResumingClient } from "../support/resuming-client";
import { UNTIL_AWAY, UNTIL_A_ROW_IS_REMOVED } from "../support/visitor";

/** As many sockets as a conference has. */
const SOCKETS = 300;
const ROOMS = 3;
/** The sockets of each room; the first ten persons have two each. */
const SOCKETS_A_ROOM = SOCKETS / ROOMS;
const PERSONS_WITH_TWO_TABS = 10;
test("a restart with 300 sockets and three browsers causes no change of any list", async ({
  newVisitor,
  ownServer: server,
  browserErrors,
  room,
}) => {
  test.slow();
  browserErrors.areExpected(NO_CONNECTION);
  const rooms = Array.from({ length: ROOMS }, (_, number) => `${room}-${number}`);
  const resumingClients: ResumingClient[] = [];
  try {
    for (const name of rooms) resumingClients.push(...(await fill(name)));
    expect(resumingClients).toHaveLength(SOCKETS);

    // Three browsers: one with two tabs, one that is hidden, one that is being reloaded.
    const [roomWithTabs, roomUnseen, roomReloading] = rooms as [string, string, string];
    const ana = await newVisitor({ of: server });
    await ana.openAndJoin(roomWithTabs, "Ana");
    const secondTab = await ana.openTab();
    await secondTab.open(roomWithTabs);
    const bo = await newVisitor({ of: server });
    await bo.openAndJoin(roomUnseen, "Bo");
    await bo.setVisible(false);
    const cy = await newVisitor({ of: server });
    await cy.openAndJoin(roomReloading, "Cy");
    await expect(bo.ownRow).toHaveAttribute("data-state", "away", UNTIL_AWAY);

    // In each room one client is in the middle of a reload, and one was just disconnected.
    const absent = rooms.flatMap((_, index) => {
      const here = resumingClients.slice(index * SOCKETS_A_ROOM, (index + 1) * SOCKETS_A_ROOM);
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
    // Changes from here on are caused by the restart.
    for (const regular of resumingClients) regular.changes.length = 0;
    const wires = [ana, secondTab, bo].map(({ wire }) => ({ wire, from: wire.received.length }));
    const listsBefore = resumingClients.map((regular) => regular.lists);
    for (const { reloading } of absent) reloading.close();
    await cy.page.goto("about:blank");
    expect(await server.terminate()).toBe(0);
    await server.start();

    await cy.open(roomReloading);
    await Promise.all(resumingClients.map((regular) => regular.connect()));
    for (const visitor of [ana, secondTab, bo]) await visitor.isReconnected();
    for (const visitor of [ana, secondTab, bo, cy]) {
      await expect(visitor.roster.locator('[data-state="reconnecting"]')).toHaveCount(0);
    }
    // A client that disconnects now is removed later than any client that had not come back would be.
    const passersBy = rooms.map((name) => new ResumingClient({ server, room: name, name: "X", tab: "x" }));
    resumingClients.push(...passersBy);
    await Promise.all(passersBy.map((regular) => regular.connect()));
    const xRows = [ana, secondTab, bo, cy].map(({ names }) => names.filter({ hasText: /^X$/ }));
    for (const xRow of xRows) await expect(xRow).toHaveCount(1);
    for (const regular of passersBy) regular.break();
    for (const xRow of xRows) await expect(xRow).toHaveCount(0, UNTIL_A_ROW_IS_REMOVED);

    const changes = [
      ...resumingClients.slice(0, SOCKETS).flatMap((regular) => regular.changes),
      ...wires.flatMap(({ wire, from }) => changesIn(wire.received.slice(from))),
    ];
    const came = changes.flatMap(({ new_user = [] }) => new_user);
    const passing = new Set(came.filter(({ name }) => name === "X").map(({ id }) => id));
    const went = changes.flatMap(({ disconnect_user = {} }) => Object.values(disconnect_user).flat());
    expect(passing.size).toBe(ROOMS);
    expect(came.filter(({ id }) => !passing.has(id))).toEqual([]);
    expect(went.filter((id) => !passing.has(id))).toEqual([]);
    // The disconnected clients are here again; no other row changed its state.
    const changed = changes.flatMap(({ user_changed = {} }) => Object.values(user_changed).flat());
    const ids = new Set(changed.filter((id) => typeof id === "string" && !passing.has(id)));
    expect(ids.size).toBe(ROOMS);
    // No client needed the whole list, and the order is unchanged.
    expect(resumingClients.slice(0, SOCKETS).map((regular) => regular.lists)).toEqual(listsBefore);
    expect(await lists()).toEqual(before);
    await expect(cy.rows).toHaveCount(cysRows);
    await expect(bo.ownRow).toHaveAttribute("data-state", "away");
    // All connected clients were closed with 1012 (service restart).
    const warned = resumingClients.filter(({ closed }) => closed.includes(1012));
    expect(warned).toHaveLength(SOCKETS - 2 * ROOMS);
  } finally {
    for (const regular of resumingClients) regular.abandon();
  }

  /** The clients of a room: some persons have two tabs, and one tab in ten is hidden. */
  async function fill(name: string): Promise<ResumingClient[]> {
    const people = Array.from({ length: SOCKETS_A_ROOM - PERSONS_WITH_TWO_TABS }, (_, number) => {
      const isVisible = number % 10 !== 0;
      return new ResumingClient({ server, room: name, name: `Person ${number}`, tab: "t1", isVisible });
    });
    await Promise.all(people.map((regular) => regular.connect()));
    const others = people
      .slice(0, PERSONS_WITH_TWO_TABS)
      .map(({ cookie }, number) => {
        const name_ = `Person ${number}`;
        return new ResumingClient({ server, room: name, name: name_, tab: "t2", cookie });
      });
    await Promise.all(others.map((regular) => regular.connect()));
    // Persons without a second tab come last.
    return [...others, ...people];
  }
});
