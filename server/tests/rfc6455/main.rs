//! The WebSocket against RFC 6455, byte by byte, over real sockets: the cases of the Autobahn test suite, by
//! its chapters.
//!
//! That suite expects an echo. This server answers a `rename` of a person who is not listed with a refusal,
//! so a refusal shows that the text was understood.
//!
//! Compression (chapters 12 and 13) is not offered: [`handshake`] checks that it is not negotiated.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod case;
mod closing;
mod fragmentation;
mod framing;
mod handshake;
mod opcodes;
mod pings;
mod raw_client;
mod reserved_bits;
mod sizes;
#[path = "../it/support/mod.rs"]
mod support;
mod utf8;
