//! Chapter 3: reserved bits need an extension, and none is negotiated.

use crate::{
    case::{
        Chunking::{AtOnce, ByBytes, ByFrame},
        Expected::{Close, Pong, Understood},
        case, run_cases,
    },
    raw_client::{BINARY, CLOSE, FIN, PING, TEXT, frame, rename, text},
    support::TestServer,
};

#[tokio::test]
async fn reserved_bits_are_protocol_errors() {
    let server = TestServer::start();
    let with = |bits: u8, opcode: u8, payload: &[u8]| frame(FIN | (bits << 4) | opcode, payload);
    let ping = frame(FIN | PING, b"");
    let cases = [
        case("3.1", [with(1, TEXT, &rename())], [Close(1002)]),
        case(
            "3.2",
            [text(&rename()), with(2, TEXT, &rename()), ping.clone()],
            [Understood, Close(1002)],
        ),
        case(
            "3.3",
            [text(&rename()), ping.clone(), with(3, TEXT, &rename())],
            [Understood, Pong(vec![]), Close(1002)],
        ),
        case("3.4", [text(&rename()), with(4, TEXT, &rename()), ping], [Understood, Close(1002)]),
        case("3.5", [with(5, BINARY, &[0; 8])], [Close(1002)]),
        case("3.6", [with(6, PING, b"")], [Close(1002)]),
        case("3.7", [with(7, CLOSE, &1000_u16.to_be_bytes())], [Close(1002)]),
    ];
    run_cases(&server, &[ByFrame, ByBytes(1)], &cases).await;
    run_cases(&server, &[AtOnce], &[case("3.1", [with(1, TEXT, &rename())], [Close(1002)])]).await;
}
