//! Who came and went in a room: the setting, the exports, and a restart.

use std::io::{Cursor, Read};

use crate::support::{Client, TestServer, body, header, process::ServerProcess};
use server::websocket::connection::ConnectionConfig;

const KEPT: &str = "keep-attendance = \"12h\"";

/// The cells of a table without separators in its cells, below its header.
fn records(table: &str) -> Vec<Vec<String>> {
    let lines = body(table).trim_start_matches('\u{feff}').lines().skip(1);
    let cells =
        |line: &str| line.split(',').map(|cell| cell.trim_matches('"').to_owned()).collect();
    lines.map(cells).collect()
}

/// Ana stays, and =1+1 has gone.
async fn one_stays_and_one_goes(server: &TestServer) -> (Client, Client) {
    let mut ana = server.connect("team").await;
    ana.join("Ana").await;
    let mut bo = server.connect("team").await;
    bo.join("Bo").await;
    bo.send(r#"{"event":"rename","name":"=1+1"}"#).await;
    ana.wait_for_names(&["Ana", "=1+1"]).await;
    bo.send(r#"{"event":"leave"}"#).await;
    ana.wait_for_names(&["Ana"]).await;
    (ana, bo)
}

#[tokio::test]
async fn exports_say_who_came_and_went() {
    let server = TestServer::start_with(KEPT, ConnectionConfig::default());
    let (mut ana, mut bo) = one_stays_and_one_goes(&server).await;
    let table = server.get("/api/rooms/team/roll.csv?session&offset=345").await;
    let attachment = header(&table, "content-disposition").unwrap();
    assert_eq!(attachment, r#"attachment; filename="rollcall-team-session.csv""#);
    assert_eq!(header(&table, "cache-control"), Some("no-store"));
    assert!(
        body(&table).starts_with(
            "\u{feff}name,id,first came,last left,minutes here,times away,reason,date came,time came,date left,time left\r\n"
        ),
        "{table}"
    );
    let rows = records(&table);
    assert_eq!(rows.len(), 2, "{table}");
    let mut names: Vec<_> = rows.iter().map(|row| row[0].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["'=1+1", "Ana"]);
    for row in &rows {
        let is_gone = row[0] == "'=1+1";
        assert_eq!(row[2], format!("{}T{}+05:45", row[7], row[8]));
        assert_eq!(row[3].is_empty(), !is_gone, "{table}");
        assert_eq!((&*row[4], &*row[5], &*row[6]), ("0", "0", if is_gone { "left" } else { "" }));
        assert_eq!(row[10].len(), if is_gone { 8 } else { 0 });
    }
    // Whoever comes back has the same row.
    bo.send(r#"{"event":"got_a_new_user","name":"Bo"}"#).await;
    ana.wait_for_names(&["Ana", "Bo"]).await;
    let rows = records(&server.get("/api/rooms/team/roll.csv?session").await);
    assert!(rows.len() == 2 && rows.iter().all(|row| row[3].is_empty()), "{rows:?}");
    // And the export of the list is what it was.
    let table = server.get("/api/rooms/team/roll.csv").await;
    assert!(body(&table).starts_with("\u{feff}name,state,here since"), "{table}");

    let text = server.get("/api/rooms/team/roll.txt?session").await;
    assert!(body(&text).starts_with("team: 2 people came, 20"), "{text}");
    assert!(text.contains("\nname\tid\tfirst came\tlast left\tminutes here\t"), "{text}");
    let nobody = server.get("/api/rooms/nobody/roll.txt?session").await;
    assert!(body(&nobody).starts_with("nobody: 0 people came, 20"), "{nobody}");

    let workbook = server.get_bytes("/api/rooms/team/roll.xlsx?session", "").await;
    let end = workbook.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(&workbook[end + 4..])).unwrap();
    let mut texts = String::new();
    archive.by_name("xl/sharedStrings.xml").unwrap().read_to_string(&mut texts).unwrap();
    assert!(texts.contains("<t>minutes here</t>") && texts.contains("<t>Ana</t>"), "{texts}");
}

#[tokio::test]
async fn page_and_privacy_say_that_attendance_is_kept() {
    let server = TestServer::start_with(KEPT, ConnectionConfig::default());
    let page = server.get("/r/team").await;
    assert!(page.contains("Attendance is kept for 12 h after you leave."), "{page}");
    let privacy = server.get("/privacy").await;
    assert!(privacy.contains("Rooms remember attendance"), "{privacy}");
    assert!(privacy.contains(" 12 h after they last left."), "{privacy}");
}

#[tokio::test]
async fn without_the_setting_nothing_is_kept() {
    let server = TestServer::start();
    let _people = one_stays_and_one_goes(&server).await;
    for kind in ["csv", "txt", "xlsx"] {
        let refused = server.get(&format!("/api/rooms/team/roll.{kind}?session")).await;
        assert!(refused.starts_with("HTTP/1.1 404"), "{refused}");
        assert!(body(&refused).contains("set keep-attendance"), "{refused}");
    }
    for page in ["/r/team", "/privacy"] {
        let page = server.get(page).await;
        assert!(
            !page.to_lowercase().contains("attendance is kept")
                && !page.contains("remember attendance")
        );
    }
    let file = server.state_directory().join("rooms.json");
    let saved = server.stop_then(|| std::fs::read_to_string(file).unwrap()).await;
    assert!(saved.contains("\"Ana\"") && !saved.contains("first_came"), "{saved}");
}

#[cfg(unix)]
#[tokio::test]
async fn restart_adds_nothing_and_loses_nothing() {
    let server = ServerProcess::start_with(KEPT);
    let mut ana = server.connect("team").await;
    ana.announce("Ana", "t").await;
    let mut bo = server.connect("team").await;
    bo.announce("Bo", "t").await;
    ana.wait_for_names(&["Ana", "Bo"]).await;
    bo.send(r#"{"event":"leave"}"#).await;
    ana.wait_for_names(&["Ana"]).await;
    let before = records(&server.get("/api/rooms/team/roll.csv?session").await);
    let (stopped, status) = server.terminate().await;
    assert!(status.success(), "{status}");
    let server = stopped.start_with(KEPT);
    let mut again = server.connect_as("team", Some(&ana.cookie)).await;
    again.resume(ana.replica, "Ana", "t").await;
    let after = records(&server.get("/api/rooms/team/roll.csv?session").await);
    assert_eq!(after, before);
    assert_eq!(after.iter().filter(|row| row[3].is_empty()).count(), 1, "{after:?}");
}
