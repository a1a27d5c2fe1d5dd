// A client written from docs/protocol.md alone: it sends one frame, written by hand.
// It is a process of its own, so that a test can kill it.
//
//     node independent-client.mjs ws://HOST:PORT/r/ROOM/socket

import WebSocket from "ws";

const [, , address] = process.argv;
if (!address) throw new Error("Usage: node independent-client.mjs ws://HOST:PORT/r/ROOM/socket");

const socket = new WebSocket(address);
socket.on("open", () => socket.send('{"event":"got_a_new_user","name":"A stranger"}'));
socket.on("message", (text) => console.log(text.toString()));
socket.on("close", (code) => console.log(`closed with ${code}`));
