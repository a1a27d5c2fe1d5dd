// A client that knows nothing of Rollcall but docs/protocol.md: one frame, typed by hand.
// It is a process of its own, so that it can be killed like one.
//
//     node stranger.mjs ws://HOST:PORT/r/ROOM/socket

import WebSocket from "ws";

const [, , address] = process.argv;
if (!address) throw new Error("Which socket? Name its address.");

const socket = new WebSocket(address);
socket.on("open", () => socket.send('{"event":"got_a_new_user","name":"A stranger"}'));
socket.on("message", (text) => console.log(text.toString()));
socket.on("close", (code) => console.log(`closed with ${code}`));
