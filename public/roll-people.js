// Who is in the room, row by row, from the event stream that all views of this browser share.

// Of the same build: a cache may hold that of another one.
const { openFeed } = await import(`./feed.js${new URL(import.meta.url).search}`);

/** How long to wait before asking for the whole list again, in milliseconds: the server answers no more often. */
const RESYNC_DELAY = 5_000;
/** How long changes wait for others, in milliseconds. */
const BATCH_DELAY = 50;

/** Calls `onChange(people, isLive)` with all rows of a room after each change, until `close` is called. */
export function followPeople(room, onChange) {
  /** The rows by id, in order of arrival. */
  let rows = new Map();
  /** How many rows the list has; until they have come it is not whole. */
  let count = 0;
  let epoch;
  let seq;
  let isWhole = false;
  let isLive = false;
  /** The time of the server in milliseconds, and when it came by the clock of the page, which nobody sets. */
  let serverTime;
  let timer;
  let resyncTimer;
  let feed;

  function tell() {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (isWhole) onChange([...rows.values()], isLive);
    }, BATCH_DELAY);
  }

  function add(users) {
    for (const user of users) rows.set(user.id, { state: "here", ...user });
    isWhole = rows.size >= count;
  }

  function apply({ disconnect_user: gone = {}, user_changed: changed = {}, new_user: joined = [] }) {
    for (const id of Object.values(gone).flat()) rows.delete(id);
    const { renamed = [], ...states } = changed;
    for (const [state, ids] of Object.entries(states)) for (const id of ids) change(id, { state });
    for (const { id, name } of renamed) change(id, { name });
    for (const user of joined) rows.set(user.id, { state: "here", ...user });
  }

  function change(id, difference) {
    if (rows.has(id)) rows.set(id, { ...rows.get(id), ...difference });
  }

  function receive(frame) {
    const { event } = frame;
    if (frame.now !== undefined) serverTime = { now: frame.now, at: performance.now() };
    if (event === "existing_users") {
      ({ epoch, seq, count } = frame);
      rows = new Map();
      add(frame.users);
      isLive = true;
    } else if (event === "more_users") {
      add(frame.users);
    } else if (event === "changes" || event === "resumed") {
      // They belong to a list that has not come yet.
      if (!isWhole) return;
      if (frame.from !== seq || (frame.epoch ?? epoch) !== epoch) return resync();
      apply(frame);
      seq = frame.seq;
      isLive = true;
    } else if (event === "beat" && isWhole) {
      // With `as_of`, the server does not hear the other servers.
      isLive = frame.as_of === undefined;
      if (frame.seq === seq && frame.count !== rows.size) return resync();
    }
    tell();
  }

  /** A gap leads to a fresh list. */
  function resync() {
    isWhole = false;
    resyncTimer ??= setTimeout(() => {
      resyncTimer = undefined;
      feed.close();
      open();
    }, RESYNC_DELAY);
  }

  function open() {
    feed = openFeed(
      () => ({ room, wantsFrames: true }),
      ({ frame }) => frame && receive(JSON.parse(frame)),
      () => {
        isLive = false;
        tell();
      },
    );
  }

  open();
  return {
    now: () => serverTime && Math.round(serverTime.now + performance.now() - serverTime.at),
    close() {
      clearTimeout(timer);
      clearTimeout(resyncTimer);
      feed.close();
    },
  };
}
