//! Every scenario with a few clients against a correct server: there must be no violation.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    ffi::OsString, fs, net::SocketAddr, process::Command, thread::JoinHandle, time::Duration,
};

use clap::Parser;
use load::client::swarm::{Opening, Swarm};
use load::measure::report::Report;
use load::options::{Options, Scenario};
use load::scenario::{RunContext, Timing};
use server::{
    config::{Config, cli::CommandLine, environment::Environment},
    identity::person_cookie::PersonCookies,
    serve,
    websocket::connection::ConnectionConfig,
};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::Runtime,
    sync::oneshot,
};

const CLIENTS: u32 = 20;

/// A list of so many rows exceeds the system's buffers for a stalled reader.
const CLIENTS_BESIDE_A_SLOW_ONE: u32 = 100;

/// The system raises this to its minimum, which a small list exceeds.
const SMALLEST_BUFFER: u32 = 1;

/// A server in a thread of its own.
struct TestServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _directory: TempDir,
}

impl TestServer {
    fn start(connection: ConnectionConfig) -> Self {
        Self::with_limits("", connection)
    }

    /// With these lines in the settings' `[limits]` table.
    fn with_limits(settings: &str, connection: ConnectionConfig) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("Leptos.toml");
        fs::write(&file, format!("[limits]\n{settings}")).unwrap();
        let state = directory.path().join("state");
        let words: [OsString; 5] =
            ["rollcall".into(), "--config".into(), file.into(), "--state-dir".into(), state.into()];
        let sources = CommandLine::parse(words, Environment::default()).unwrap().sources;
        let config = Config::load(sources).unwrap();
        let persons = PersonCookies::from_key(&[7; 64], config.scheme()).unwrap();
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(async { listen() });
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let signal = async {
            let _ = stopped.await;
        };
        let thread = std::thread::spawn(move || {
            runtime.block_on(serve::serve(listener, config, persons, connection, signal)).unwrap();
        });
        Self { address, stop: Some(stop), thread: Some(thread), _directory: directory }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Accepted connections inherit the buffer size.
fn listen() -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(SMALLEST_BUFFER).unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    socket.listen(1024).unwrap()
}

/// Runs one scenario against a server with default timeouts.
fn run(scenario: Scenario) -> Report {
    let server = TestServer::start(ConnectionConfig::default());
    run_against(&server, scenario, CLIENTS, Duration::from_secs(30))
}

/// Runs `slow` against a server with this write timeout.
fn run_slow(write_within: Duration, timeout: Duration) -> Report {
    let connection = ConnectionConfig { write_within, ..ConnectionConfig::default() };
    let server = TestServer::start(connection);
    run_against(&server, Scenario::Slow, CLIENTS_BESIDE_A_SLOW_ONE, timeout)
}

fn run_against(server: &TestServer, scenario: Scenario, clients: u32, timeout: Duration) -> Report {
    let clients = format!("--clients={clients}");
    let url = format!("--url={}", server.url());
    let words = ["load", &clients, &url, "--seconds=1", "--rates=400", "--no-baseline"];
    let timing = Timing {
        timeout,
        settle_time: Duration::from_millis(100),
        min_slow_duration: Duration::from_secs(1),
        repetitions: 1,
        stranger: None,
    };
    let context = RunContext {
        options: Options::parse_from(words),
        program: None,
        peer: None,
        cores: None,
        timing,
    };
    let mut reports = context.run(scenario).unwrap();
    assert_eq!(reports.len(), 1);
    reports.remove(0)
}

fn assert_no_violation(report: &Report) {
    assert_eq!(
        (report.violation_count, report.first_violation.as_deref()),
        (0, None),
        "{report:?}"
    );
    assert!(report.lists_right);
}

#[track_caller]
fn assert_at_least(report: &Report, figure: &str, least: f64) {
    let found = report.figures.get(figure);
    assert!(found.is_some_and(|found| *found >= least), "{figure} is {found:?}: {report:?}");
}

#[test]
fn connect_has_no_violation() {
    assert_no_violation(&run(Scenario::Connect));
}

#[test]
fn storm_delivers_every_join_to_every_client() {
    let report = run(Scenario::Storm);
    assert_no_violation(&report);
    assert_at_least(&report, "facts", f64::from(CLIENTS * CLIENTS));
    assert_at_least(&report, "time_s", 0.0);
}

#[test]
fn fill_lets_everyone_join_in_turn() {
    let report = run(Scenario::Fill);
    assert_no_violation(&report);
    assert_at_least(&report, "time_s", 0.0);
}

#[test]
fn fanout_delivers_changes_to_all_clients() {
    let report = run(Scenario::Fanout);
    assert_no_violation(&report);
    // Some changes are still on their way at the end, and others cancel each other out.
    assert_at_least(&report, "facts", f64::from(CLIENTS));
    assert_at_least(&report, "latency_ms_p50", 0.0);
}

#[test]
fn drop_delivers_the_broken_half_to_the_others() {
    let report = run(Scenario::Drop);
    assert_no_violation(&report);
    assert_at_least(&report, "facts", f64::from(CLIENTS / 2 * (CLIENTS / 2)));
}

#[test]
fn return_resumes_all_clients() {
    let report = run(Scenario::Return);
    assert_no_violation(&report);
    assert_at_least(&report, "time_s", 0.0);
}

/// Two servers that know nothing of each other: only where the clients go is looked at.
#[test]
fn clients_go_to_the_next_server_when_they_reconnect() {
    let servers = [(); 2].map(|()| TestServer::start(ConnectionConfig::default()));
    let addresses = servers.iter().map(|server| server.address).collect();
    let mut swarm = Swarm::new(addresses, "r").unwrap();
    let clients = swarm.add(4, Opening::Silence);
    swarm.connect_all(clients.clone(), 2).unwrap();
    assert_eq!([swarm.clients_of(0), swarm.clients_of(1)], [[0, 2], [1, 3]]);
    swarm.reset(0);
    swarm.connect(0).unwrap();
    assert_eq!([swarm.clients_of(0), swarm.clients_of(1)], [vec![2], vec![0, 1, 3]]);
    // An end of a socket is a violation unless it is expected.
    let [first, second] = servers;
    swarm.expect_ends(true);
    drop(first);
    while swarm.lost() < 1 {
        swarm.poll_once(Duration::from_millis(20)).unwrap();
    }
    assert_eq!((swarm.take_lost(), swarm.violations.count), (vec![2], 0));
    swarm.expect_ends(false);
    drop(second);
    swarm.wait_until_closed(clients, Duration::from_secs(30)).unwrap();
    assert_eq!(swarm.violations.count, 3);
}

#[test]
fn join_is_seen_across() {
    let report = run(Scenario::Across);
    assert_no_violation(&report);
    assert_at_least(&report, "latency_ms_p50", 0.0);
}

#[test]
fn reload_causes_no_change() {
    let report = run(Scenario::Reload);
    assert_no_violation(&report);
    assert_eq!(report.figures.get("changes_seen"), Some(&0.0));
}

#[test]
fn stalled_readers_are_dropped_without_a_violation() {
    let report = run_slow(Duration::from_millis(200), Duration::from_secs(30));
    assert_no_violation(&report);
    assert_at_least(&report, "slow_clients_dropped", 1.0);
    assert_at_least(&report, "p99_to_without", 0.0);
}

#[test]
fn stalled_readers_that_are_not_dropped_are_a_violation() {
    let report = run_slow(Duration::from_hours(1), Duration::from_secs(3));
    let sentence = "no stalled reader was dropped";
    assert_eq!(
        (report.violation_count, report.first_violation.as_deref()),
        (1, Some(sentence)),
        "{report:?}"
    );
}

/// Latencies are not asserted: that needs an idle machine and the release build.
#[test]
fn probe_joins_during_an_attack() {
    // Lower limits than the defaults, so that slow machines exceed them too. The probe needs 50 sockets per
    // second.
    let limits = "socket-burst-per-address = 100\nsocket-rate-per-address = 60";
    let server = TestServer::with_limits(limits, ConnectionConfig::default());
    let report = run_against(&server, Scenario::Attack, CLIENTS, Duration::from_secs(30));
    assert_no_violation(&report);
    assert_at_least(&report, "silent", f64::from(CLIENTS));
    assert_at_least(&report, "joins_refused", 1.0);
    assert_at_least(&report, "garbage_ended", 1.0);
    assert_at_least(&report, "p99_to_without", 0.0);
}

/// Latencies are not asserted here either.
#[test]
fn greedy_addresses_are_answered_and_a_stranger_is_not_refused() {
    let report = run(Scenario::Greedy);
    assert_no_violation(&report);
    for answers in [
        "answers_users_gzip",
        "answers_slow_answers",
        "answers_slow_sockets",
        "answers_rooms",
        "answers_rows",
        "answers_renames",
        "answers_resyncs",
        "samples_undisturbed",
        "samples_three_addresses",
    ] {
        assert_at_least(&report, answers, 1.0);
    }
}

#[test]
fn school_behind_one_address_is_let_in() {
    let report = run(Scenario::School);
    assert_no_violation(&report);
    assert_at_least(&report, "answers", f64::from(CLIENTS) * 3.0 * 11.0);
}

#[test]
fn resets_do_not_grow_the_server() {
    let report = run(Scenario::Resets);
    assert_no_violation(&report);
    assert_at_least(&report, "rounds", 20.0);
}

/// The program itself, including the baseline that it starts.
#[test]
fn program_prints_a_table_and_a_json_line_per_scenario() {
    let server = TestServer::start(ConnectionConfig::default());
    let output = Command::new(env!("CARGO_BIN_EXE_load"))
        .args(["--clients=20", "--scenario=storm,baseline", "--rounds=2", "--url", &server.url()])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    let lines: Vec<serde_json::Value> =
        said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let names: Vec<&str> = lines.iter().filter_map(|line| line["scenario"].as_str()).collect();
    assert_eq!(names, ["storm", "baseline"]);
    assert_eq!(lines[0]["lists_right"], true);
    assert_eq!(lines[1]["frames"], 2000.0);
    assert!(said.starts_with("scenario"));
}
