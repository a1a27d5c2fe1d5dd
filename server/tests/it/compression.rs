//! Compressed answers.

use crate::support::{TestServer, body, header};

/// Head and body of a response in Brotli, decoded.
async fn get_brotli(server: &TestServer, path: &str) -> (String, String) {
    let answer = server.get_bytes(path, "Accept-Encoding: gzip, br\r\n").await;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    assert_eq!(header(&head, "content-encoding"), Some("br"), "{head}");
    let length: usize = header(&head, "content-length").unwrap().parse().unwrap();
    assert_eq!(length, answer.len() - end);
    let mut content = Vec::new();
    brotli::BrotliDecompress(&mut &answer[end..], &mut content).unwrap();
    (head, String::from_utf8(content).unwrap())
}

#[tokio::test]
async fn pages_and_lists_are_compressed() {
    let server = TestServer::start();
    let mut ana = server.connect("team").await;
    ana.join("Ana").await;
    let (head, page) = get_brotli(&server, "/r/team").await;
    assert_eq!(header(&head, "vary"), Some("accept-encoding"), "{head}");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("</body></html>"), "{page}");
    for path in [
        "/api/rooms/team/users",
        "/api/rooms/team/roll.csv",
        "/api/rooms/team/roll.txt",
        "/r/team/print",
        "/r/team/embed",
    ] {
        let (head, content) = get_brotli(&server, path).await;
        assert_eq!(header(&head, "vary"), Some("accept-encoding"), "{head}");
        assert!(content.contains("Ana"), "{path}: {content}");
        let plain = server.get(path).await;
        assert_eq!(header(&plain, "content-encoding"), None);
        assert!(body(&plain).contains("Ana"), "{path}: {plain}");
    }
}

/// Whoever joins or leaves and then reads the list, in any form, reads that.
#[tokio::test]
async fn shared_lists_are_never_old() {
    let server = TestServer::start();
    let mut people = Vec::new();
    for name in ["Ana", "Ben", "Cem"] {
        let mut client = server.connect("team").await;
        client.join(name).await;
        people.push(client);
        for path in ["/api/rooms/team/users", "/api/rooms/team/roll.txt"] {
            for _ in 0..2 {
                let (_, list) = get_brotli(&server, path).await;
                assert!(list.contains(name), "{path}: {list}");
            }
        }
    }
}

#[tokio::test]
async fn short_answers_and_files_are_sent_as_they_are() {
    let server = TestServer::start();
    for path in ["/robots.txt", "/pkg/rollcall.js"] {
        let answer = server.get_with(path, "Accept-Encoding: gzip, br\r\n").await;
        assert_eq!(header(&answer, "content-encoding"), None, "{answer}");
    }
}
