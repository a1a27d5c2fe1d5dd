// A client that is made of docs/openapi.json: it has to compile.

import createClient from "openapi-fetch";
import type { components, paths, webhooks } from "./generated/openapi.js";

type User = components["schemas"]["User"];
type Message = webhooks["presence"]["post"]["requestBody"]["content"]["application/json"];

const client = createClient<paths>({ baseUrl: "https://rollcall.example" });

/** Every room, page by page. */
export async function rooms(key: string): Promise<string[]> {
  const headers = { Authorization: `Bearer ${key}` };
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const query = cursor === undefined ? { limit: 1_000 } : { limit: 1_000, cursor };
    const { data, error } = await client.GET("/api/rooms", { params: { query }, headers });
    if (error) throw new Error(`${error.code}: ${error.detail}`);
    names.push(...data.rooms.map(({ room }) => room));
    cursor = data.next ?? undefined;
  } while (cursor !== undefined);
  return names;
}

/** Everybody in a room, with the moment at which they joined. */
export async function users(room: string): Promise<Map<string, Date>> {
  const { data } = await client.GET("/api/rooms/{room}/users", { params: { path: { room } } });
  const list: User[] = data?.users ?? [];
  return new Map(list.map(({ name, joined }) => [name, new Date(joined * 1_000)]));
}

/** How many people are in these rooms. */
export async function counts(key: string, rooms: string[]): Promise<Record<string, number>> {
  const headers = { Authorization: `Bearer ${key}` };
  const { data, error } = await client.POST("/api/rooms/-/counts", { body: { rooms }, headers });
  if (error) throw new Error(error.detail);
  return data.counts;
}

/** Removes a person. */
export async function remove(key: string, room: string, id: User["id"]): Promise<void> {
  const headers = { Authorization: `Bearer ${key}` };
  const params = { path: { room, id } };
  await client.DELETE("/api/rooms/{room}/users/{id}", { params, headers });
}

/** What a webhook says, as one line for each event. */
export function lines({ data }: Message): string[] {
  return data.events.map((event) => {
    switch (event.type) {
      case "user.joined":
        return `${event.user.name} came into ${event.room}`;
      case "user.left":
        return `${event.id} went from ${event.room}: ${event.reason}`;
      case "presence.resync":
        return `read ${event.rooms.join(", ")}`;
      default:
        return `${event.room}: ${event.type}`;
    }
  });
}
