// One WebSocket.

import { startWatchdog } from "./connection.js";
import { readFrame, type ClientFrame, type ServerFrame } from "./frames.js";

export interface SocketEvents {
  onOpen(): void;
  onFrame(frame: ServerFrame): void;
  /** It ended with this close code, never opened, or was silent for too long. Nothing follows. */
  onEnd(code?: number): void;
}

export interface Socket {
  send(frames: readonly ClientFrame[]): void;
  /** Closes it; no event follows. */
  close(): void;
}

export function openSocket(url: string, { onOpen, onFrame, onEnd }: SocketEvents): Socket {
  let socket: WebSocket | undefined;
  let isOver = false;
  const close = () => {
    isOver = true;
    watchdog.stop();
    socket?.close();
  };
  const end = (code?: number) => {
    if (isOver) return;
    close();
    onEnd(code);
  };
  const watchdog = startWatchdog(end);
  try {
    socket = new WebSocket(url);
    socket.onopen = () => isOver || onOpen();
    socket.onclose = ({ code }) => end(code);
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
