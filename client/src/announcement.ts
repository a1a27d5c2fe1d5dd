// What a screen reader says of a change. Pure.

import type { Change } from "./change.js";
import type { User } from "./frames.js";
import { listParts, number, TEXTS } from "./texts.js";

/** More people than this are only counted. */
const MOST_NAMES = 3;

/** A sentence for who came and one for who went; empty where there is nothing to say. */
export function announcement({ joined, left }: Change): string {
  return sentence(joined, TEXTS.joined) + sentence(left, TEXTS.left);
}

function sentence(people: readonly User[], did: string): string {
  if (people.length === 0) return "";
  const names = listParts(people.map(({ name }) => name)).map(({ value }) => value);
  const who = people.length > MOST_NAMES ? `${number(people.length)} ${TEXTS.people}` : names.join("");
  return `${who} ${did}. `;
}
