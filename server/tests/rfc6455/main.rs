//! The socket against RFC 6455, byte by byte, over real sockets: the cases of the Autobahn test suite, by its chapters.
//!
//! That suite expects an echo, and this server says what its protocol has it say: to a `rename` of somebody who
//! is not listed, that they are not. So whoever is answered was understood.
//! Compression (its chapters 12 and 13) is not offered: [`handshake`] shows that none is agreed on.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

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
