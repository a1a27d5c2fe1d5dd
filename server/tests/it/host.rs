//! The host of a room: who is one, and what a host can do.

use app::presence::Changes;

use crate::{
    new_room::{cookie_line, made_room},
    support::{Site, TestServer, body, header},
};

/// A room, its host's cookie, and the secret in the host's link.
struct Made {
    room: String,
    cookie: String,
    secret: String,
}

async fn make_room(site: &Site) -> Made {
    let made = site.post("/new", "", "title=team").await;
    let (room, cookie) = (made_room(&made), cookie_line(&made));
    let secret = cookie.trim().split_once('=').unwrap().1.to_owned();
    Made { room, cookie, secret }
}

fn status(answer: &str) -> &str {
    answer.strip_prefix("HTTP/1.1 ").unwrap().get(..3).unwrap()
}

#[tokio::test]
async fn secret_of_the_link_makes_a_host_and_a_wrong_one_does_not() {
    let server = TestServer::start();
    let made = make_room(&server).await;
    let path = format!("/r/{}/host", made.room);
    let host = server.post(&path, "", &format!("secret={}", made.secret)).await;
    assert_eq!(status(&host), "204");
    assert_eq!(cookie_line(&host), made.cookie);
    let other = make_room(&server).await.secret;
    for wrong in ["", "secret=", "secret=00", &format!("secret={other}")] {
        let refused = server.post(&path, "", wrong).await;
        assert_eq!(status(&refused), "403", "{wrong}: {refused}");
        assert!(body(&refused).contains("not valid for this room"), "{refused}");
        assert_eq!(header(&refused, "set-cookie"), None);
    }
    // Nor is it valid on a server with another key.
    let elsewhere = TestServer::start_with_key(8);
    let refused = elsewhere.post(&path, "", &format!("secret={}", made.secret)).await;
    assert_eq!(status(&refused), "403");
    let from_elsewhere = server
        .post_from(&path, "Origin: https://evil.test\r\n", &format!("secret={}", made.secret))
        .await;
    assert_eq!(status(&from_elsewhere), "403");
}

#[tokio::test]
async fn servers_with_one_key_have_the_same_hosts() {
    let [one, other] = [TestServer::start(), TestServer::start()];
    let made = make_room(&one).await;
    let path = format!("/r/{}/host", made.room);
    let host = other.post(&path, "", &format!("secret={}", made.secret)).await;
    assert_eq!(status(&host), "204");
}

#[tokio::test]
async fn wrong_secrets_are_limited_and_the_right_one_never() {
    let server = TestServer::start();
    let made = make_room(&server).await;
    let path = format!("/r/{}/host", made.room);
    // More than the burst, and faster than a second each.
    let mut answers = Vec::new();
    for _ in 0..30 {
        answers.push(server.post(&path, "", "secret=00").await);
    }
    let limited = answers.iter().find(|answer| status(answer) == "429").unwrap();
    assert!(header(limited, "retry-after").is_some(), "{limited}");
    assert_eq!(status(&answers[0]), "403");
    let host = server.post(&path, "", &format!("secret={}", made.secret)).await;
    assert_eq!(status(&host), "204");
}

#[tokio::test]
async fn only_the_hosts_page_has_the_panel_and_the_link() {
    let server = TestServer::start();
    let made = make_room(&server).await;
    let path = format!("/r/{}", made.room);
    let other = make_room(&server).await;
    for (cookie, is_host) in [("", false), (&*other.cookie, false), (&*made.cookie, true)] {
        for page in [path.clone(), format!("{path}/parts.json")] {
            let answer = server.get_with(&page, cookie).await;
            assert_eq!(answer.contains("#host="), is_host, "{page}: {answer}");
            assert_eq!(answer.contains("data-actions"), is_host, "{page}: {answer}");
        }
        let links = server.get_with(&format!("{path}/host"), cookie).await;
        assert_eq!(status(&links), if is_host { "200" } else { "403" });
        assert_eq!(links.contains("#host="), is_host, "{links}");
    }
    let wall = server.get_with(&format!("{path}?wall"), &made.cookie).await;
    assert!(!wall.contains("#host="), "{wall}");
}

#[tokio::test]
async fn removed_person_reads_why_and_joins_again() {
    let server = TestServer::start();
    let made = make_room(&server).await;
    let mut ana = server.connect(&made.room).await;
    ana.announce("Ana", "t1").await;
    let mut bo = server.connect(&made.room).await;
    bo.announce("Bo", "t1").await;
    let id = ana.replica.you().unwrap();
    let path = format!("/r/{}/host/remove", made.room);
    let removed = server.post(&path, &made.cookie, &format!("id={id}")).await;
    assert_eq!(status(&removed), "204", "{removed}");
    let difference = loop {
        let Changes { difference, .. } = bo.changes().await;
        if !difference.disconnect_user.is_empty() {
            break difference;
        }
    };
    assert_eq!(difference.disconnect_user.removed, [id]);
    for nobody in [format!("id={id}"), "id=nobody".to_owned(), String::new()] {
        let answer = server.post(&path, &made.cookie, &nobody).await;
        assert_eq!(status(&answer), "404", "{nobody}");
    }
    ana.wait_for_names(&["Bo"]).await;
    ana.announce("Ana", "t1").await;
    bo.wait_for_names(&["Bo", "Ana"]).await;
}

#[tokio::test]
async fn cookie_of_a_host_counts_on_own_pages_alone_whatever_else_is_sent() {
    let server = TestServer::start();
    let made = make_room(&server).await;
    let mut ana = server.connect(&made.room).await;
    ana.announce("Ana", "t1").await;
    let path = format!("/r/{}/host/close", made.room);
    let headers = format!("{}Authorization: Bearer x\r\n", made.cookie);
    for origin in ["Origin: https://evil.test\r\n", "Origin: null\r\n"] {
        let refused = server.post_from(&path, &[origin, &headers].concat(), "").await;
        assert_eq!(status(&refused), "403", "{origin}: {refused}");
    }
    // A proxy may add a header of its own.
    let closed = server.post(&path, &headers, "").await;
    assert_eq!(status(&closed), "204", "{closed}");
}

#[tokio::test]
async fn cleared_room_is_empty() {
    let server = TestServer::start();
    let made = make_room(&server).await;
    let path = format!("/r/{}/host/clear", made.room);
    assert_eq!(status(&server.post(&path, &made.cookie, "").await), "404");
    let mut ana = server.connect(&made.room).await;
    ana.announce("Ana", "t1").await;
    assert_eq!(status(&server.post(&path, &made.cookie, "").await), "204");
    ana.wait_for_names(&[]).await;
}

#[tokio::test]
async fn closed_room_refuses_new_people_with_a_sentence_until_it_is_open() {
    let server = TestServer::start();
    let made = make_room(&server).await;
    let path = |action| format!("/r/{}/host/{action}", made.room);
    assert_eq!(status(&server.post(&path("close"), &made.cookie, "").await), "404");
    let mut ana = server.connect(&made.room).await;
    ana.announce("Ana", "t1").await;
    assert_eq!(status(&server.post(&path("close"), &made.cookie, "").await), "204");
    let page = server.get_with(&format!("/r/{}", made.room), &made.cookie).await;
    assert!(page.contains(">The room is closed.<"), "{page}");
    let mut bo = server.connect(&made.room).await;
    bo.send(r#"{"event":"got_a_new_user","name":"Bo"}"#).await;
    let refusal = bo.refusal().await;
    assert_eq!(refusal["code"], "room_closed");
    assert!(refusal["message"].as_str().unwrap().contains("host has closed"), "{refusal}");
    assert_eq!(ana.names(), ["Ana"]);
    assert_eq!(status(&server.post(&path("open"), &made.cookie, "").await), "204");
    bo.announce("Bo", "t1").await;
    ana.wait_for_names(&["Ana", "Bo"]).await;
}

#[tokio::test]
async fn nobody_but_a_host_on_the_sites_own_pages_can_act() {
    let server = TestServer::start();
    let made = make_room(&server).await;
    let other = make_room(&server).await;
    let mut ana = server.connect(&made.room).await;
    ana.announce("Ana", "t1").await;
    let form = format!("id={}", ana.replica.you().unwrap());
    let own = format!("Origin: http://{}\r\n", server.address);
    for action in ["remove", "clear", "close", "open"] {
        let path = format!("/r/{}/host/{action}", made.room);
        for headers in [
            own.clone(),
            format!("{own}{}", other.cookie),
            format!("{own}Cookie: {}\r\n", ana.cookie),
            format!("Origin: https://evil.test\r\n{}", made.cookie),
            format!("Origin: null\r\n{}", made.cookie),
            format!("{own}Sec-Fetch-Site: cross-site\r\n{}", made.cookie),
        ] {
            let answer = server.post_from(&path, &headers, &form).await;
            assert_eq!(status(&answer), "403", "{action} {headers}: {answer}");
        }
    }
    let unknown = server.post(&format!("/r/{}/host/dance", made.room), &made.cookie, "").await;
    assert_eq!(status(&unknown), "404");
    let list = server.get(&format!("/api/rooms/{}/users", made.room)).await;
    assert!(list.contains(r#""count":1"#), "{list}");
}
