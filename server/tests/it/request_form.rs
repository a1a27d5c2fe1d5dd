//! Requests that HTTP calls invalid: what a proxy could read in another way is refused.

use crate::support::{TestServer, body};

const END: &str = "Connection: close\r\n\r\n";

#[tokio::test]
async fn request_without_a_single_valid_host_gets_400() {
    let server = TestServer::start();
    for site in [&*server, &server.operator] {
        for request in [
            format!("GET /healthz HTTP/1.1\r\n{END}"),
            format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n{END}"),
            format!("GET /healthz HTTP/1.0\r\nHost: localhost\r\nHost: other\r\n{END}"),
        ] {
            let answer = site.answer_to(&request).await;
            assert!(answer.contains(" 400 "), "{request}: {answer}");
            assert!(body(&answer).contains("one Host header"), "{request}: {answer}");
        }
        for host in ["", "a b", "a/b", "ana@localhost", "localhost,other", "[::1"] {
            let request = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n{END}");
            let answer = site.answer_to(&request).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{host}: {answer}");
        }
    }
    // HTTP/1.0 has no Host; then links have no host either.
    let old = server.answer_to("GET /r/team HTTP/1.0\r\n\r\n").await;
    assert!(old.contains(" 200 ") && old.contains("value=\"/r/team\""), "{old}");
    let request = format!("GET / HTTP/1.1\r\nHost: laptop.local\r\n{END}");
    let without_port = server.answer_to(&request).await;
    assert!(without_port.contains("value=\"http://laptop.local/r/lobby\""), "{without_port}");
}

#[tokio::test]
async fn target_in_absolute_form_is_of_the_host_in_host() {
    let server = TestServer::start();
    let ask = async |target: &str, host: &str| {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{END}");
        server.answer_to(&request).await
    };
    let own = ask("http://localhost:3000/r/team", "localhost:3000").await;
    assert!(own.starts_with("HTTP/1.1 200 "), "{own}");
    for (target, host, status) in [
        ("http://other/r/team", "localhost", "400"),
        ("http://localhost/r/team", "other", "400"),
        ("http://localhost/r/team", "localhost:3000", "400"),
        ("http://evil.test/r/team", "localhost", "400"),
        ("http://ana@localhost/r/team", "ana@localhost", "400"),
        ("http://evil.test/r/team", "evil.test", "421"),
    ] {
        let answer = ask(target, host).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{target} {host}: {answer}");
    }
}

#[tokio::test]
async fn target_in_a_form_of_another_method_gets_400() {
    let server = TestServer::start();
    for site in [&*server, &server.operator] {
        for target in ["*", "localhost:80", "ftp://localhost/healthz"] {
            let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{END}");
            let answer = site.answer_to(&request).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{target}: {answer}");
        }
    }
}

#[tokio::test]
async fn unknown_transfer_coding_gets_501() {
    let server = TestServer::start();
    let request = "POST /new HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n";
    let answer = server.answer_to(request).await;
    assert!(answer.starts_with("HTTP/1.1 501 "), "{answer}");
}

#[tokio::test]
async fn unknown_expectation_gets_417() {
    let server = TestServer::start();
    for site in [&*server, &server.operator] {
        for value in ["200-ok", "100-continue, more"] {
            let answer = site.get_with("/healthz", &format!("Expect: {value}\r\n")).await;
            assert!(answer.starts_with("HTTP/1.1 417 "), "{value}: {answer}");
            assert!(body(&answer).contains("Expect"), "{answer}");
        }
        let known = site.get_with("/healthz", "Expect: 100-continue\r\n").await;
        assert!(known.contains("HTTP/1.1 200 "), "{known}");
    }
}

#[tokio::test]
async fn line_feed_alone_in_a_head_gets_400_and_ends_the_connection() {
    let server = TestServer::start();
    let valid = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for head in [
        "GET /healthz HTTP/1.1\nHost: localhost\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\n",
        "GET /healthz HTTP/1.1\nHost: localhost\n\n",
    ] {
        for site in [&*server, &server.operator] {
            // What follows is no request any more.
            let answer = site.answer_to(&[head, valid].concat()).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{head:?}: {answer}");
            assert!(body(&answer).contains("carriage return"), "{answer}");
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        }
    }
    // Also in the second request of a connection.
    let second = "GET /healthz HTTP/1.1\nHost: localhost\r\n\r\n";
    let answer = server.answer_to(&[valid, second].concat()).await;
    assert!(answer.contains("HTTP/1.1 400 "), "{answer}");
}

/// A form may contain what it likes.
#[tokio::test]
async fn line_feeds_in_a_body_are_accepted() {
    let server = TestServer::start();
    let answer = server.post("/new", "", "title=a\nb\n\nc").await;
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    let address = server.address;
    let form = "title=a\n";
    let chunked = format!(
        "POST /new HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n\
         {:x}\r\n{form}\r\n0\r\n\r\n",
        form.len()
    );
    // The connection ends with the response, so that no head after it is read unchecked.
    let answer = server.answer_to(&chunked).await;
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
}
