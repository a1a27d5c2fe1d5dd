// A WebSocket and a `fetch` that a test drives, in place of the browser's.

import type { ClientFrame, ServerFrame } from "../../src/frames.js";

export class FakeSocket {
  static readonly all: FakeSocket[] = [];
  readonly sent: ClientFrame[] = [];
  isClosed = false;
  onopen?: () => void;
  onclose?: (event: { code: number; reason: string }) => void;
  onmessage?: (event: { data: string }) => void;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  static get last(): FakeSocket {
    return FakeSocket.all.at(-1)!;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientFrame);
  }

  close(): void {
    this.isClosed = true;
  }

  receive(...frames: readonly ServerFrame[]): void {
    for (const frame of frames) this.onmessage?.({ data: JSON.stringify(frame) });
  }

  end(code = 1006, reason = ""): void {
    this.onclose?.({ code, reason });
  }
}

/** One request for an event stream. */
export class FakeStream {
  static readonly all: FakeStream[] = [];
  readonly query: URLSearchParams;
  isAborted = false;
  readonly #controller: ReadableStreamDefaultController<Uint8Array>;
  readonly response: Response;

  constructor(url: URL, signal: AbortSignal | null | undefined) {
    FakeStream.all.push(this);
    this.query = url.searchParams;
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    this.response = new Response(new ReadableStream<Uint8Array>({ start: (its) => void (controller = its) }));
    this.#controller = controller;
    signal?.addEventListener("abort", () => {
      this.isAborted = true;
      controller.error(signal.reason);
    });
  }

  static get last(): FakeStream {
    return FakeStream.all.at(-1)!;
  }

  /** Sends a text, which need not end where an event does. */
  async send(text: string): Promise<void> {
    this.#controller.enqueue(new TextEncoder().encode(text));
    await settled();
  }

  async event(room: string, frame: ServerFrame): Promise<void> {
    await this.send(`event: ${frame.event}\ndata: ${JSON.stringify({ room, ...frame })}\n\n`);
  }

  async end(): Promise<void> {
    this.#controller.close();
    await settled();
  }
}

/** What the server answers to a question why it refuses a socket; undefined if it would accept one. */
export const refusal: { current: { code: string; message: string } | undefined } = { current: undefined };

export async function fakeFetch(address: string | URL, options: RequestInit = {}): Promise<Response> {
  const url = new URL(address);
  if (url.pathname.endsWith("/api/events")) return new FakeStream(url, options.signal).response;
  const body = refusal.current ?? { code: "upgrade_required", message: "" };
  return new Response(JSON.stringify(body), { status: refusal.current ? 403 : 426 });
}

/** Everything that is due without a timer has happened. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
