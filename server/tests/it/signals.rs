//! What each signal does to the real program.

#![cfg(unix)]

use crate::support::process::ServerProcess;

/// Kim is in the room; returns when the process has ended in order, with its rooms kept.
async fn ends_in_order(server: ServerProcess, after: &str, end: impl FnOnce(&ServerProcess)) {
    let rooms_file = server.rooms_file();
    let mut kim = server.connect("team").await;
    kim.join("Kim").await;
    end(&server);
    assert_eq!(kim.close_code().await, Some(1012), "{after}");
    let (_stopped, status) = server.ended().await;
    assert!(status.success(), "{status} {after}");
    assert!(std::fs::read_to_string(rooms_file).unwrap().contains("Kim"), "{after}");
}

#[tokio::test]
async fn signals_that_ask_for_the_end_end_the_server_in_order() {
    let mut signals = vec!["TERM", "INT", "QUIT", "XCPU"];
    if cfg!(target_os = "linux") {
        // As LXC and systemd-nspawn stop containers.
        signals.extend(["PWR", "37"]);
    }
    for signal in signals {
        let after = format!("after SIG{signal}");
        ends_in_order(ServerProcess::start(), &after, |server| server.signal(signal)).await;
    }
}

#[tokio::test]
async fn second_signal_ends_the_server_at_once() {
    for [first, second] in [["TERM", "TERM"], ["INT", "INT"], ["TERM", "QUIT"]] {
        // It drains for longer than the test may take.
        let server = ServerProcess::start_with("drain-delay = \"1h\"");
        server.signal(first);
        server.wait_until_logged("shutting down").await;
        server.signal(second);
        let (_, status) = server.ended().await;
        assert_eq!(status.code(), Some(1), "{first} {second}");
    }
}

/// The kernel sends one for each second of processor time beyond the limit.
#[tokio::test]
async fn repeated_processor_limit_does_not_end_the_server_at_once() {
    let server = ServerProcess::start_with("drain-delay = \"1s\"");
    let end = |server: &ServerProcess| {
        for _ in 0..3 {
            server.signal("XCPU");
        }
    };
    ends_in_order(server, "after three of SIGXCPU", end).await;
}

#[tokio::test]
async fn other_signals_change_nothing() {
    let server = ServerProcess::start();
    let mut kim = server.connect("team").await;
    kim.join("Kim").await;
    for (signal, line) in [
        ("HUP", "SIGHUP has no effect: there is no certificate to reload"),
        ("USR1", "SIGUSR1 has no effect"),
        ("USR2", "SIGUSR2 has no effect"),
        ("ALRM", "SIGALRM has no effect"),
    ] {
        server.signal(signal);
        server.wait_until_logged(line).await;
    }
    for signal in ["PIPE", "XFSZ", "WINCH", "CHLD", "URG", "TSTP", "CONT", "STOP", "CONT"] {
        server.signal(signal);
    }
    // Kim's socket has outlived all of them.
    kim.send(r#"{"event":"rename","name":"Kim Doe"}"#).await;
    kim.wait_for_names(&["Kim Doe"]).await;
    let after = "after SIGTERM, which came after other signals";
    ends_in_order(server, after, |server| server.signal("TERM")).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn closed_terminal_ends_the_server_in_order() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use std::{fs::File, process::Command};

    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    // The kernel sends SIGHUP to the leader of the terminal's session, as `setsid` makes the server.
    let mut leader = Command::new("setsid");
    leader.arg("--ctty").stdin(File::options().read(true).write(true).open(name).unwrap());
    let server = ServerProcess::start_by(leader, "");
    ends_in_order(server, "after its terminal was closed", |_| drop(terminal)).await;
}
