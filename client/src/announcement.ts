// What a screen reader says of a change. Pure.

import type { Change } from "./change.js";
import type { User } from "./frames.js";
import { namesPhrase, TEXTS } from "./texts.js";

/** A sentence for who came and one for who went; empty where there is nothing to say. */
export function announcement({ joined, left }: Change): string {
  return sentence(joined, TEXTS.joined) + sentence(left, TEXTS.left);
}

function sentence(people: readonly User[], did: string): string {
  const who = namesPhrase(people).map(({ value }) => value);
  return who[0] ? `${who.join("")} ${did}. ` : "";
}
