//! A form of another application leads a visitor to a room's page.

use serde_json::json;

use super::{NAME, Server, join_frame, status, token};
use crate::support::{body, header};

/// The `Cookie` line of a browser that was sent these cookies, by their path.
fn cookies_for(answer: &str, path: &str) -> String {
    let lines = answer.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
    let for_path = lines.filter(|line| line.contains(&format!("; Path={path}")));
    let pairs: Vec<_> = for_path.map(|line| line.split(';').next().unwrap()).collect();
    assert_eq!(pairs.len(), 1, "{answer}");
    pairs[0].to_owned()
}

#[tokio::test]
async fn form_with_a_token_leads_to_the_page_which_joins_as_the_user() {
    let server = Server::start_with("[limits]\nallowed-origins = [\"https://app.example\"]");
    let form = format!("token={}", token(json!({ "name": NAME, "rooms": ["team-*"] })));
    let from_app = "Origin: https://app.example\r\n";
    let entered = server.post_from("/r/team-1/enter", from_app, &form).await;
    assert_eq!(status(&entered), "303", "{entered}");
    assert_eq!(header(&entered, "location"), Some("/r/team-1"));
    let cookie = cookies_for(&entered, "/r/team-1");
    let line = format!("Cookie: {cookie}\r\n");
    let page = server.get_with("/r/team-1", &line).await;
    assert_eq!(status(&page), "200", "{page}");
    let mut browser = server.connect_as("team-1", Some(&cookie)).await;
    browser.send(r#"{"event":"got_a_new_user","name":"Anybody","tab":"t1"}"#).await;
    assert_eq!(browser.list().await.users[0].name.as_str(), NAME);
    // The same person as over a socket with the token.
    let mut phone = server.connect("team-1").await;
    phone.send(&join_frame("", &token(json!({ "name": NAME }))).replace("t1", "t2")).await;
    assert_eq!(phone.list().await.count, 1);
    assert_eq!(phone.replica.you(), browser.replica.you());
    let page = server.get_with("/r/team-1", &line).await;
    assert!(
        page.contains(browser.replica.you().unwrap().as_str()) && page.contains(NAME),
        "{page}"
    );
    // The browser's own cookie is still its own.
    let own = page.lines().filter(|line| line.starts_with("set-cookie: ")).collect::<String>();
    assert!(own.contains("rollcall_person") && !own.contains("rollcall_token"), "{own}");
    let for_lists = format!("Cookie: {}\r\n", cookies_for(&entered, "/api/rooms/team-1"));
    assert!(server.get_with("/api/rooms/team-1/roll.csv", &for_lists).await.contains(NAME));
}

#[tokio::test]
async fn form_is_refused_without_a_valid_token_and_from_other_sites() {
    let server = Server::start();
    let valid = format!("token={}", token(json!({})));
    let other = format!("token={}", token(json!({ "rooms": ["team-2"] })));
    for (form, code) in [("", "401"), ("token=", "401"), ("token=a.b.c", "401"), (&*other, "403")] {
        let refused = server.post("/r/team-1/enter", "", form).await;
        assert_eq!(status(&refused), code, "{form}: {refused}");
        assert_eq!(header(&refused, "set-cookie"), None);
    }
    for origin in ["https://evil.example", "null"] {
        let line = format!("Origin: {origin}\r\n");
        let refused = server.post_from("/r/team-1/enter", &line, &valid).await;
        assert_eq!(status(&refused), "403", "{origin}: {refused}");
        assert_eq!(header(&refused, "set-cookie"), None);
    }
    assert_eq!(status(&server.post_from("/r/team-1/enter", "", &valid).await), "303");
    assert_eq!(status(&server.post("/r/Team%201/enter", "", &valid).await), "404");
}

#[tokio::test]
async fn expired_cookie_is_told_so_by_the_check_and_counts_as_none_in_open_rooms() {
    let server = Server::start();
    let expired = token(json!({ "exp": super::now() - 61 }));
    let port = server.address.port();
    let line = format!("Cookie: rollcall_token_{port}={expired}\r\n");
    for path in ["/r/team-1", "/r/team-1/socket"] {
        let refused = server.get_with(path, &line).await;
        assert_eq!(status(&refused), "401", "{refused}");
        assert!(body(&refused).contains("The token has expired."), "{refused}");
    }
    let check = server.get_with("/r/team-1/socket", &line).await;
    assert!(check.contains(r#""code":"token_expired""#), "{check}");
    assert_eq!(status(&server.get_with("/r/lobby", &line).await), "200");
    // A socket's first frame may have a token.
    assert_eq!(status(&server.get("/r/team-1/socket").await), "426");
}

#[tokio::test]
async fn cookies_that_open_nothing_keep_no_valid_token_out() {
    let server = Server::start();
    let port = server.address.port();
    let cookie = |token: &str| format!("rollcall_token_{port}={token}");
    let (valid, other) = (token(json!({})), token(json!({ "rooms": ["team-2"] })));
    let expired = token(json!({ "exp": super::now() - 61 }));
    for useless in [&*expired, "a.b.c", &other] {
        let mut ana = server.connect_as("team-1", Some(&cookie(useless))).await;
        ana.send(&join_frame("Ana", &valid)).await;
        assert_eq!(ana.list().await.count, 1, "{useless}");
        let mut bo = server.connect_as("team-1", Some(&cookie(useless))).await;
        bo.send(r#"{"event":"watch"}"#).await;
        assert_eq!(bo.close_code().await, Some(4401), "{useless}");
    }
    // Those of sibling domains and other paths come along.
    let all = [[&*other, "a.b.c", &expired].repeat(5), vec![&*valid]].concat();
    let line = all.into_iter().map(cookie).collect::<Vec<_>>().join("; ");
    let page = server.get_with("/r/team-1", &format!("Cookie: {line}\r\n")).await;
    assert_eq!(status(&page), "200", "{page}");
    let refused = server.get_with("/r/team-1", &format!("Cookie: {}\r\n", cookie(&other))).await;
    assert_eq!(status(&refused), "403", "{refused}");
    let open = server.get_with("/r/lobby", &format!("Cookie: {}\r\n", cookie(&other))).await;
    assert_eq!(status(&open), "200", "{open}");
}

#[tokio::test]
async fn somebody_else_is_not_the_holder_of_the_token() {
    let server = Server::start();
    let entered = server.post("/r/team-1/enter", "", &format!("token={}", token(json!({})))).await;
    let cookie = format!("Cookie: {}\r\n", cookies_for(&entered, "/r/team-1"));
    let switched = server.post("/r/team-1/someone-else", &cookie, "").await;
    assert_eq!(status(&switched), "303", "{switched}");
    let name = format!("rollcall_token_{}=", server.address.port());
    for path in ["/r/team-1", "/api/rooms/team-1"] {
        let of_path = |line: &&str| {
            line.starts_with(&format!("set-cookie: {name}"))
                && line.split("; ").any(|attribute| attribute == format!("Path={path}"))
        };
        assert_eq!(entered.lines().filter(of_path).count(), 1, "{entered}");
        let removed = switched.lines().find(of_path).expect(&switched);
        assert!(removed.starts_with(&format!("set-cookie: {name};")), "{removed}");
        assert!(removed.contains("; Max-Age=0"), "{removed}");
    }
    let without_keys = crate::support::TestServer::start();
    let switched = without_keys.post("/r/team-1/someone-else", "", "").await;
    assert!(!switched.contains("rollcall_token"), "{switched}");
}

#[cfg(unix)]
#[tokio::test]
async fn sighup_reads_the_keys_again() {
    use crate::support::{process::ServerProcess, write_secret};
    let directory = tempfile::tempdir().unwrap();
    let server = ServerProcess::start_with(&super::settings(directory.path()));
    let new = "0b1c9a37f2a8d0b7139c5e64a1f08b3c7d92e654";
    let [old_token, new_token] =
        [super::SECRET, new].map(|secret| super::signed(json!({}), secret));
    let path = "/api/rooms/team-1/users";
    let code = async |token: &str| {
        let answer = server.get_with(path, &super::bearer(token)).await;
        status(&answer).to_owned()
    };
    assert_eq!([code(&old_token).await, code(&new_token).await], ["200", "401"]);
    write_secret(&directory.path().join("token.secret"), new);
    server.signal("HUP");
    server.wait_until_logged("token keys reloaded").await;
    assert_eq!([code(&old_token).await, code(&new_token).await], ["401", "200"]);
    write_secret(&directory.path().join("token.secret"), "short");
    server.signal("HUP");
    server.wait_until_logged("the one before stays in use").await;
    assert_eq!(code(&new_token).await, "200");
    std::fs::remove_file(directory.path().join("token.secret")).unwrap();
    server.signal("HUP");
    server.wait_until_logged("its tokens are refused from now on").await;
    assert_eq!(code(&new_token).await, "401");
    assert!(!server.log().contains(new), "a secret is in no log");
}
