// One WebSocket.

import { startWatchdog } from "./connection.js";
import { readFrame, type ClientFrame, type ServerFrame } from "./frames.js";

export interface SocketEvents {
  /** It opened, and there is a token, if there is to be one. */
  onOpen(token?: string): void;
  onFrame(frame: ServerFrame): void;
  /** It ended with this close code and reason, never opened, or was silent for too long. Nothing follows. */
  onEnd(code?: number, reason?: string): void;
}

export interface Socket {
  send(frames: readonly ClientFrame[]): void;
  /** Closes it; no event follows. */
  close(): void;
}

/** `token` may be what gets one. */
export function openSocket(
  url: string,
  token: string | (() => string | Promise<string>) | undefined,
  { onOpen, onFrame, onEnd }: SocketEvents,
): Socket {
  let socket: WebSocket | undefined;
  let isOver = false;
  const close = () => {
    isOver = true;
    watchdog.stop();
    socket?.close();
  };
  const end = (code?: number, reason?: string) => {
    if (isOver) return;
    close();
    onEnd(code, reason);
  };
  const watchdog = startWatchdog(end);
  try {
    socket = new WebSocket(url);
    socket.onopen = async () => {
      try {
        const current = typeof token == "function" ? await token() : token;
        if (!isOver) onOpen(current);
      } catch {
        end();
      }
    };
    socket.onclose = ({ code, reason }) => end(code, reason);
    socket.onmessage = ({ data }) => {
      const frame = readFrame(data);
      watchdog.reset();
      if (frame && !isOver) onFrame(frame);
    };
  } catch {
    // There are none here, or the page's policy forbids this one. Its owner is not ready to hear of it yet.
    queueMicrotask(end);
  }
  return {
    send: (frames) => {
      // On a socket that is closing, its end is what will be heard.
      for (const frame of frames) socket?.send(JSON.stringify(frame));
    },
    close,
  };
}
