// Requests that have not ended, such as those of event streams.

import type { BrowserContext, Page, Request } from "@playwright/test";

/** The addresses of the requests whose address matches the pattern, from now on, that have not ended. */
export function openRequests(source: Page | BrowserContext, pattern: RegExp): () => string[] {
  const open = new Set<Request>();
  // Both have the same events, in overloads that a union can't call.
  const events = source as Page;
  events.on("request", (request) => {
    if (pattern.test(request.url())) open.add(request);
  });
  events.on("requestfinished", (request) => open.delete(request));
  events.on("requestfailed", (request) => open.delete(request));
  return () => [...open].map((request) => decodeURIComponent(request.url()));
}
