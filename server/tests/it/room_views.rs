//! Views of a room other than its list: export, QR code, hour chart, kiosk view.

use crate::support::{TestServer, body, header};
use server::websocket::connection::ConnectionConfig;

#[tokio::test]
async fn list_can_be_exported_as_text_and_csv() {
    let server = TestServer::start();
    let mut people = Vec::new();
    for name in ["Ana \"the\" Sousa", "=1+1", "李小龍"] {
        let mut client = server.connect("team-7").await;
        client.join(name).await;
        people.push(client);
    }
    let table = server.get("/api/rooms/team-7/roll.csv").await;
    assert!(header(&table, "content-type").unwrap().starts_with("text/csv"), "{table}");
    let attachment = header(&table, "content-disposition").unwrap();
    assert_eq!(attachment, r#"attachment; filename="rollcall-team-7.csv""#);
    assert_eq!(header(&table, "cache-control"), Some("no-store"));
    let lines: Vec<_> = body(&table).trim_start_matches('\u{feff}').split("\r\n").collect();
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert_eq!(lines[0], "name,state,here since,id,date,time");
    for (line, start) in lines[1..].iter().zip([
        "\"Ana \"\"the\"\" Sousa\",\"here\",\"20",
        "\"'=1+1\",",
        "\"李小龍\",",
    ]) {
        assert!(line.starts_with(start), "{line}");
    }

    let text = server.get("/api/rooms/team-7/roll.txt").await;
    assert_eq!(header(&text, "content-type"), Some("text/plain; charset=utf-8"));
    let attachment = header(&text, "content-disposition").unwrap();
    assert_eq!(attachment, r#"attachment; filename="rollcall-team-7.txt""#);
    assert!(body(&text).starts_with("team-7: 3 people, 20"), "{text}");
    assert!(body(&text).ends_with("\n\nAna \"the\" Sousa\n=1+1\n李小龍\n"), "{text}");

    let empty = server.get("/api/rooms/nobody/roll.txt").await;
    assert!(body(&empty).starts_with("nobody: 0 people"), "{empty}");
    for kind in ["csv", "txt", "xlsx"] {
        let nowhere = server.get(&format!("/api/rooms/Team/roll.{kind}")).await;
        assert!(nowhere.starts_with("HTTP/1.1 404"), "{nowhere}");
    }
}

#[tokio::test]
async fn export_has_local_times_and_a_separator_of_choice() {
    let server = TestServer::start();
    let mut ana = server.connect("team").await;
    let id = ana.join("Ana").await.you.unwrap();
    let table = server.get("/api/rooms/team/roll.csv?separator=;&offset=345").await;
    let lines: Vec<_> = body(&table).trim_start_matches('\u{feff}').split("\r\n").collect();
    assert_eq!(lines[0], "name;state;here since;id;date;time");
    let cells: Vec<_> = lines[1].split(';').map(|cell| cell.trim_matches('"')).collect();
    let [name, state, since, row_id, date, time] = cells[..] else { panic!("{table}") };
    assert_eq!((name, state), ("Ana", "here"));
    assert_eq!(row_id.strip_prefix('\'').unwrap_or(row_id), id.as_str());
    assert_eq!(since, format!("{date}T{time}+05:45"));
    let text = server.get("/api/rooms/team/roll.txt?offset=345").await;
    assert!(body(&text).lines().next().unwrap().ends_with("+05:45"), "{text}");
    for (path, start) in [
        ("/api/rooms/team/roll.csv?separator=|", "`separator` is"),
        ("/api/rooms/team/roll.xlsx?offset=CET", "`offset` is"),
        ("/r/team/print?offset=9999", "`offset` is"),
    ] {
        let refused = server.get(path).await;
        assert!(
            refused.starts_with("HTTP/1.1 400") && body(&refused).starts_with(start),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn workbook_is_served_as_a_file() {
    let server = TestServer::start();
    let mut ana = server.connect("team").await;
    ana.join("Ana").await;
    let workbook = server.get_bytes("/api/rooms/team/roll.xlsx", "Accept-Encoding: gzip\r\n").await;
    let end = workbook.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&workbook[..end + 4]).unwrap();
    assert_eq!(
        header(head, "content-type"),
        Some("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    );
    let attachment = header(head, "content-disposition").unwrap();
    assert_eq!(attachment, r#"attachment; filename="rollcall-team.xlsx""#);
    assert_eq!(header(head, "content-encoding"), None);
    let archive = std::io::Cursor::new(&workbook[end + 4..]);
    let archive = zip::ZipArchive::new(archive).unwrap();
    let sheet = "xl/worksheets/sheet1.xml";
    assert!(archive.file_names().any(|name| name.is_ok_and(|name| name == sheet)));
}

#[tokio::test]
async fn printed_list_is_a_page_of_its_own() {
    let server = TestServer::start();
    let mut ana = server.connect("team").await;
    ana.join("Ana").await;
    let page = server.get("/r/team/print?offset=-60").await;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("<bdi>Ana</bdi>"), "{page}");
    assert!(page.contains("UTC-01:00"), "{page}");
    assert_eq!(header(&page, "x-robots-tag"), Some("noindex"));
    assert_eq!(header(&page, "set-cookie"), None);
    let redirect = server.get("/r/Team/print?offset=60").await;
    assert_eq!(header(&redirect, "location"), Some("/r/team/print?offset=60"));
}

#[tokio::test]
async fn page_links_to_the_export_and_shows_the_room_address() {
    let server = TestServer::start();
    let page = server.get("/r/team-7").await;
    for path in [
        "/api/rooms/team-7/roll.csv",
        "/api/rooms/team-7/roll.txt",
        "/api/rooms/team-7/roll.xlsx",
        "/r/team-7/print?lang=en",
        "/r/team-7/qr.svg",
    ] {
        assert!(page.contains(&format!("\"{path}\"")), "{path}: {page}");
        assert!(server.get_bytes(path, "").await.starts_with(b"HTTP/1.1 200"), "{path}");
    }
    let address = format!("http://{}/r/team-7", server.address);
    assert!(page.contains(&address), "{page}");
    let settings = "[limits]\ntrusted-proxies = [\"127.0.0.1\"]";
    let server = TestServer::start_with(settings, ConnectionConfig::default());
    let secure = server.get_with("/", "X-Forwarded-Proto: https\r\n").await;
    assert!(secure.contains(&format!("https://{}/r/lobby", server.address)), "{secure}");
}

#[tokio::test]
async fn qr_code_encodes_the_room_address() {
    let server = TestServer::start();
    let code = server.get("/r/team-7/qr.svg").await;
    assert_eq!(header(&code, "content-type"), Some("image/svg+xml"));
    assert!(body(&code).starts_with("<svg ") && !code.contains("style"), "{code}");
    // Another address gives another code.
    let other = server.get("/r/team-8/qr.svg").await;
    assert_ne!(body(&code), body(&other));
    assert_eq!(body(&code), body(&server.get("/r/team-7/qr.svg").await));
    assert!(server.get("/r/a_b/qr.svg").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn hour_chart_is_in_the_first_html_and_can_be_fetched() {
    let server = TestServer::start();
    let page = server.get("/r/team").await;
    // The room was empty so far, so there is no chart.
    assert!(page.contains("past-hour") && !page.contains("<figcaption>"), "{page}");
    let mut ana = server.connect("team").await;
    ana.join("Ana").await;
    let mut bo = server.connect("team").await;
    bo.join("Bo").await;
    bo.close().await;
    let page = server.get("/r/team").await;
    let picture = server.get("/r/team/past-hour").await;
    assert!(body(&picture).contains("<figcaption>"), "{picture}");
    // Two members were present at the same time, in this minute or the one before it.
    assert!(body(&picture).contains("2 people"), "{picture}");
    assert!(page.contains(body(&picture)), "{page}");
    assert!(server.get("/r/a_b/past-hour").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn hour_chart_survives_a_restart() {
    let server = TestServer::start();
    let mut ana = server.connect("team").await;
    ana.join("Ana").await;
    let mut bo = server.connect("team").await;
    bo.join("Bo").await;
    bo.send(r#"{"event":"leave"}"#).await;
    ana.wait_for_names(&["Ana"]).await;
    let server = server.restart().await;
    // Ana's row was restored. Bo's visit is known from the saved counts only.
    let picture = server.get("/r/team/past-hour").await;
    assert!(body(&picture).contains("2 people"), "{picture}");
}

#[tokio::test]
async fn kiosk_view_shows_the_room_without_controls() {
    let server = TestServer::start_with("", ConnectionConfig::default());
    let mut ana = server.connect("team").await;
    ana.join("Ana").await;
    for query in ["?wall", "?a=b&wall", "?wall=1"] {
        let wall = server.get(&format!("/r/team{query}")).await;
        assert!(wall.contains(r#"data-wall="true""#), "{query}: {wall}");
        assert!(wall.contains("Ana") && wall.contains("/r/team/qr.svg"), "{wall}");
    }
    for query in ["", "?wallpaper", "?x=wall"] {
        let page = server.get(&format!("/r/team{query}")).await;
        assert!(!page.contains("data-wall"), "{query}: {page}");
    }
    let redirect = server.get("/r/Team?wall").await;
    assert_eq!(header(&redirect, "location"), Some("/r/team?wall"));
}
