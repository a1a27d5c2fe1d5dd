//! A site below a path of a host, behind proxies that strip the path and others that keep it.

use server::websocket::connection::ConnectionConfig;

use crate::support::{TestServer, body, header};

fn below(path: &str) -> TestServer {
    let settings = format!("public-url = \"https://host.example{path}\"");
    TestServer::start_with(&settings, ConnectionConfig::default())
}

/// The values of all attributes with a path in them.
fn paths(html: &str) -> Vec<&str> {
    [
        "href=\"",
        "src=\"",
        "data-source=\"",
        "data-feed=\"",
        "action=\"",
        "import(\"",
        "module_or_path: \"",
    ]
    .into_iter()
    .flat_map(|start| html.split(start).skip(1))
    .map(|rest| rest.split('"').next().unwrap())
    .filter(|value| value.starts_with('/'))
    .collect()
}

#[tokio::test]
async fn every_address_in_a_page_is_below_the_path() {
    let server = below("/rollcall");
    for prefix in ["", "/rollcall"] {
        for path in [
            "/",
            "/r/team",
            "/r/team?wall",
            "/r/team/embed",
            "/r/team/print",
            "/r/a_b",
            "/nowhere",
            "/new",
            "/privacy",
        ] {
            let page = server.get(&format!("{prefix}{path}")).await;
            let found = paths(body(&page));
            assert!(found.len() >= 2, "{path}: {page}");
            // Nor has the data for scripts other addresses.
            for start in ["\"/pkg/", "\"/r/", "\"/api/"] {
                assert!(!page.contains(start), "{path}: {start} {page}");
            }
            for address in found {
                assert!(address.starts_with("/rollcall/"), "{path}: {address}");
            }
        }
        let page = server.get(&format!("{prefix}/r/team")).await;
        assert!(page.contains(" data-base=\"/rollcall\""), "{page}");
        assert!(page.contains(r#"value="https://host.example/rollcall/r/team""#), "{page}");
        let cookie = header(&page, "set-cookie").unwrap();
        assert!(cookie.starts_with("__Secure-rollcall_person="), "{cookie}");
        assert!(cookie.contains("; Path=/rollcall;"), "{cookie}");
        // It would bind the whole host, with sites that are not ours.
        assert_eq!(header(&page, "strict-transport-security"), None);
    }
    let lobby = server.get("/rollcall").await;
    assert!(lobby.starts_with("HTTP/1.1 200 "), "{lobby}");
}

#[tokio::test]
async fn every_route_is_served_with_and_without_the_path() {
    let server = below("/rollcall");
    for prefix in ["", "/rollcall"] {
        for path in [
            "/healthz",
            "/cookie-check",
            "/pkg/rollcall.js",
            "/r/team/qr.svg",
            "/r/team/past-hour",
            "/api/rooms/team/users",
            "/api/rooms/team/roll.csv",
            "/api/rooms/team/roll.txt",
            "/api/rooms/team/roll.xlsx",
        ] {
            // The status alone: a workbook is no text.
            let status = server.first_line(&format!("{prefix}{path}"), "HTTP/1.1 ").await;
            assert_eq!(status, "200 OK", "{prefix}{path}");
        }
        let check = format!("{prefix}/r/team/socket?origin=https://host.example");
        assert!(server.get(&check).await.starts_with("HTTP/1.1 426 "));
    }
    for prefix in ["", "/rollcall"] {
        let url = format!("ws://{}{prefix}/r/team/socket", server.address);
        let (_, response) = tokio_tungstenite::connect_async(url).await.unwrap();
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("; Path=/rollcall;"), "{cookie}");
    }
    // The same code at both addresses: that of the public one.
    let [one, other] =
        [server.get("/r/team/qr.svg").await, server.get("/rollcall/r/team/qr.svg").await];
    assert_eq!(body(&one), body(&other));
}

#[tokio::test]
async fn redirects_lead_below_the_path() {
    let server = below("/rollcall");
    for prefix in ["", "/rollcall"] {
        for (path, location) in [
            ("/r/Team?wall", "/rollcall/r/team?wall"),
            ("/r/team/", "/rollcall/r/team"),
            ("/r/TEAM/embed/?x=1", "/rollcall/r/team/embed?x=1"),
        ] {
            let answer = server.get(&format!("{prefix}{path}")).await;
            assert_eq!(header(&answer, "location"), Some(location), "{prefix}{path}");
        }
        let switched = server.request("POST", &format!("{prefix}/r/team/someone-else"), "").await;
        assert_eq!(header(&switched, "location"), Some("/rollcall/r/team"));
        assert!(header(&switched, "set-cookie").unwrap().contains("; Path=/rollcall;"));
    }
}

#[tokio::test]
async fn a_site_at_the_root_has_no_base_path() {
    let server = TestServer::start();
    let page = server.get("/r/team").await;
    assert!(!page.contains("data-base"), "{page}");
    assert!(server.get("/rollcall/r/team").await.starts_with("HTTP/1.1 404 "));
}
