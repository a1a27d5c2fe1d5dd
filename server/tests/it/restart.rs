//! The end of the real program by SIGTERM and SIGKILL, and the start of the next one.

#![cfg(unix)]

use std::time::{Duration, Instant};

use crate::support::{Client, process::ServerProcess};
use app::presence::{PresenceState, ServerEvent};

/// Ana, Bo and Kim in this order, with complete lists.
async fn three_people(server: &ServerProcess) -> Vec<Client> {
    let mut people = Vec::new();
    for name in ["Ana", "Bo", "Kim"] {
        let mut client = server.connect("team").await;
        client.announce(name, "t").await;
        people.push(client);
    }
    for client in &mut people {
        client.wait_for_names(&["Ana", "Bo", "Kim"]).await;
    }
    people
}

fn print_elapsed(what: &str, since: Instant) {
    println!("{what}: {:.1} ms", since.elapsed().as_secs_f64() * 1000.0);
}

#[tokio::test]
async fn restart_after_sigterm_loses_only_members_that_stay_away() {
    let server = ServerProcess::start();
    let mut people = three_people(&server).await;
    let started_at = Instant::now();
    let ending = tokio::spawn(server.terminate());
    for client in &mut people {
        assert_eq!(client.close_code().await, Some(1012));
    }
    let (stopped, status) = ending.await.unwrap();
    print_elapsed("TERM to the end of the process", started_at);
    assert!(status.success(), "{status}");

    let before_readiness = Instant::now();
    let server = stopped.start();
    let listening = Instant::now();
    let mut back = Vec::new();
    for (client, name) in people.into_iter().zip(["Ana", "Bo"]) {
        let mut again = server.connect_as("team", Some(&client.cookie)).await;
        let answer = again.resume(client.replica, name, "t").await;
        let ServerEvent::Resumed(resumed) = answer else { panic!("{answer:?}") };
        let file = std::fs::read_to_string(server.rooms_file()).unwrap();
        assert!(!file.contains("in_order"), "no other process continues this epoch: {file}");
        assert!(resumed.difference.is_empty() && resumed.from == resumed.seq, "{resumed:?}");
        back.push(again);
    }
    let mut pinging = back.pop().unwrap();
    let pinging = tokio::spawn(async move {
        pinging.wait_for_names(&["Ana", "Bo"]).await;
    });
    // The first change is that Kim is lost.
    let received = back[0].changes().await;
    print_elapsed("the next process listens to disconnect_user lost", listening);
    assert_eq!(received.difference.disconnect_user.lost.len(), 1);
    assert!(received.difference.user_changed.is_empty() && received.difference.new_user.is_empty());
    assert!(before_readiness.elapsed() >= Duration::from_secs(15));
    pinging.await.unwrap();
}

#[tokio::test]
async fn restart_after_sigkill_restores_rows_under_a_new_epoch() {
    let server = ServerProcess::start();
    let mut people = three_people(&server).await;
    // Rooms are saved every few seconds. This waits for it.
    let file = server.rooms_file();
    let saving = async {
        while !std::fs::read_to_string(&file).is_ok_and(|text| text.contains("\"Kim\"")) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), saving).await.expect("the rooms are saved");
    let stopped = server.kill();
    for client in &mut people {
        assert_eq!(client.close_code().await, None);
    }
    let before_readiness = Instant::now();
    let server = stopped.start();
    let listening = Instant::now();
    let mut back = Vec::new();
    for (client, name) in people.into_iter().zip(["Ana", "Bo"]) {
        let mut again = server.connect_as("team", Some(&client.cookie)).await;
        let old_epoch = client.replica.epoch().unwrap().clone();
        let answer = again.resume(client.replica, name, "t").await;
        let ServerEvent::ExistingUsers(list) = answer else { panic!("{answer:?}") };
        assert_ne!(list.epoch, old_epoch);
        // Members who have not reconnected yet keep their place in the list.
        assert_eq!(again.names(), ["Ana", "Bo", "Kim"]);
        assert!(list.users.iter().all(|user| user.state == PresenceState::Here));
        back.push(again);
    }
    let mut pinging = back.pop().unwrap();
    let pinging = tokio::spawn(async move {
        pinging.wait_for_names(&["Ana", "Bo"]).await;
    });
    let received = back[0].changes().await;
    print_elapsed("the next process after kill -9 listens to disconnect_user lost", listening);
    assert_eq!(received.difference.disconnect_user.lost.len(), 1);
    assert!(before_readiness.elapsed() >= Duration::from_secs(15));
    pinging.await.unwrap();
}

/// The file that the second process loaded is still there, but its epoch is the second one's.
#[tokio::test]
async fn rooms_are_kept_when_the_next_process_is_killed_before_it_saves() {
    let server = ServerProcess::start();
    let people = three_people(&server).await;
    let epoch = people[0].replica.epoch().unwrap().clone();
    drop(people);
    let (stopped, _) = server.terminate().await;
    let server = stopped.start();
    let mut watcher = server.connect("team").await;
    assert_eq!(watcher.watch().await.epoch, epoch);
    assert_eq!(watcher.names(), ["Ana", "Bo", "Kim"]);
    let mut epochs = vec![epoch];
    let mut server = server;
    for _ in 0..3 {
        server = server.kill().start();
        let mut watcher = server.connect("team").await;
        let epoch = watcher.watch().await.epoch;
        assert!(!epochs.contains(&epoch), "{epoch} in {epochs:?}");
        epochs.push(epoch);
        assert_eq!(watcher.names(), ["Ana", "Bo", "Kim"]);
    }
}

/// As on a disk that is full or can only be read: the next process could load the same file again.
#[tokio::test]
async fn epoch_is_new_where_the_file_can_not_be_replaced() {
    let server = ServerProcess::start();
    let people = three_people(&server).await;
    let epoch = people[0].replica.epoch().unwrap().clone();
    drop(people);
    let in_the_way = server.rooms_file().with_extension("json.new");
    let (stopped, _) = server.terminate().await;
    std::fs::create_dir(&in_the_way).unwrap();
    let server = stopped.start();
    let mut watcher = server.connect("team").await;
    assert_ne!(watcher.watch().await.epoch, epoch);
    assert_eq!(watcher.names(), ["Ana", "Bo", "Kim"]);
    watcher.announce("Lee", "t").await;
    let stopped = server.kill();
    std::fs::remove_dir(&in_the_way).unwrap();
    // What the first process saved is still true of its epoch: nobody else has continued it.
    let server = stopped.start();
    let mut watcher = server.connect("team").await;
    assert_eq!(watcher.watch().await.epoch, epoch);
    assert_eq!(watcher.names(), ["Ana", "Bo", "Kim"]);
}

/// As after a night without power.
#[tokio::test]
async fn people_of_a_file_that_is_older_than_ten_minutes_are_not_listed() {
    let server = ServerProcess::start();
    drop(three_people(&server).await);
    let file = server.rooms_file();
    let (stopped, _) = server.terminate().await;
    let mut saved: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let saved_at = saved["saved_at"].as_u64().unwrap();
    saved["saved_at"] = (saved_at - 700).into();
    std::fs::write(&file, saved.to_string()).unwrap();
    let server = stopped.start();
    let mut watcher = server.connect("team").await;
    assert_eq!(watcher.watch().await.count, 0);
    assert!(server.log().contains("the rooms file is too old"), "{}", server.log());
    assert!(!std::fs::read_to_string(&file).unwrap().contains("Ana"));
}

#[tokio::test]
async fn log_says_at_the_end_whether_the_rooms_were_saved() {
    let server = ServerProcess::start();
    let _people = three_people(&server).await;
    let (stopped, _) = server.terminate().await;
    let log = stopped.log();
    assert!(log.contains("rooms saved") && !log.contains("not saved"), "{log}");

    let server = stopped.start();
    server.remove_state_directory();
    let (stopped, status) = server.terminate().await;
    assert!(status.success(), "{status}");
    let log = stopped.log();
    let line = log.lines().find(|line| line.contains("the rooms were not saved")).unwrap_or(&log);
    assert!(line.contains(r#""level":"ERROR""#) && !log.contains("rooms saved"), "{log}");
}

/// As when a disk has room again, in a room that nobody changes meanwhile.
#[tokio::test]
async fn save_that_failed_is_tried_again() {
    let server = ServerProcess::start();
    let directory = server.rooms_file().parent().unwrap().to_owned();
    server.remove_state_directory();
    let _people = three_people(&server).await;
    // No change follows, so the next save is about the same rooms.
    server.wait_until_logged("the rooms file can't be written").await;
    std::fs::create_dir(&directory).unwrap();
    while !std::fs::read_to_string(server.rooms_file()).is_ok_and(|text| text.contains("\"Kim\"")) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
