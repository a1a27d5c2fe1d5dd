//! Chapter 4: reserved opcodes.

use crate::{
    case::{
        Chunking::{ByBytes, ByFrame},
        Expected::{Close, Understood},
        case, run_cases,
    },
    raw_client::{FIN, PING, frame, rename, text},
    support::TestServer,
};

#[tokio::test]
async fn reserved_opcodes_are_protocol_errors() {
    let server = TestServer::start();
    let mut cases = Vec::new();
    for opcode in (3..=7).chain(11..=15) {
        for payload in [b"".as_slice(), b"reserved"] {
            let bad = frame(FIN | opcode, payload);
            cases.push(case(format!("4 opcode {opcode}"), [bad.clone()], [Close(1002)]));
            let between = [text(&rename()), bad, frame(FIN | PING, b"")];
            cases.push(case(format!("4 opcode {opcode}"), between, [Understood, Close(1002)]));
        }
    }
    run_cases(&server, &[ByFrame, ByBytes(1)], &cases).await;
}
