//! What a start without a usable engine does: it ends with a status and a sentence, and nothing half-started.

use std::process::ExitStatus;

use crate::{
    cluster::Cluster,
    engine::{EngineProcess, free_port},
    support::{key, process::FailedStart},
};

/// The status of a service that is not there (sysexits.h): a service manager may try again.
const UNAVAILABLE: i32 = 69;

/// The status of a configuration that has to be changed.
const CONFIG: i32 = 78;

async fn expect_failure(presence: &str, code: i32, sentence: &str) {
    let FailedStart { status, output, log } = FailedStart::of(presence).await;
    assert_eq!(ExitStatus::code(&status), Some(code), "{log}");
    assert!(log.contains(sentence), "{log}");
    assert_eq!(output, "", "nothing was listened on");
}

#[tokio::test]
async fn engine_that_is_not_there_is_named() {
    let cluster = Cluster::start(0);
    let port = free_port();
    let elsewhere = cluster
        .settings()
        .replace(&cluster.engine.address().to_string(), &format!("redis://127.0.0.1:{port}"));
    let sentence = format!("Can't connect to cluster-engine redis://127.0.0.1:{port}");
    expect_failure(&elsewhere, UNAVAILABLE, &sentence).await;
}

#[tokio::test]
async fn start_waits_for_the_engine_if_it_is_told_to() {
    let cluster = Cluster::start(0);
    cluster.engine.kill();
    let settings = format!("{}\ncluster-wait = \"30s\"", cluster.settings());
    let starting = tokio::task::spawn_blocking(move || {
        crate::support::process::ServerProcess::start_with(&settings)
    });
    cluster.engine.restart();
    let server = starting.await.unwrap();
    let mut ana = server.connect("r").await;
    assert_eq!(ana.join("Ana").await.users.len(), 1);
}

#[tokio::test]
async fn wrong_password_and_missing_permission_are_named() {
    let engine = EngineProcess::start(&["--requirepass", "secret"]);
    let cluster = Cluster::over(engine);
    let sentence = "Check cluster-user, cluster-password-file";
    expect_failure(&cluster.settings(), CONFIG, sentence).await;
    let with_password = |password: &str| {
        let file = cluster.write_file("password", password);
        format!("{}\ncluster-password-file = \"{}\"", cluster.settings(), file.display())
    };
    expect_failure(&with_password("wrong"), CONFIG, sentence).await;
    let server = crate::support::process::ServerProcess::start_with(&with_password("secret\n"));
    server.get("/").await;
}

#[tokio::test]
async fn settings_that_differ_from_the_other_servers_are_named() {
    let cluster = Cluster::start(1);
    let other_key = cluster.write_file("other.key", key(8));
    let with_other_key = cluster
        .settings()
        .replace(&cluster.key_file().display().to_string(), &other_key.display().to_string());
    expect_failure(&with_other_key, CONFIG, "sign cookies with another key").await;
    let with_other_lease = format!("{}\ncluster-lease = \"5s\"", cluster.settings());
    expect_failure(&with_other_lease, CONFIG, "have cluster-lease 2s, this one has 5s").await;
    let with_https = cluster.settings().replace("http://example.org", "https://example.org");
    expect_failure(&with_https, CONFIG, "by http, this one by https").await;
    // With another prefix it is another cluster.
    let with_prefix = format!("{with_other_key}\ncluster-prefix = \"other\"");
    let server = crate::support::process::ServerProcess::start_with(&with_prefix);
    server.get("/").await;
}

#[tokio::test]
async fn key_that_each_server_would_make_for_itself_is_refused() {
    let cluster = Cluster::start(0);
    let engine_alone = format!("cluster-engine = [\"{}\"]", cluster.engine.address());
    expect_failure(&engine_alone, CONFIG, "person-key-file has to be set").await;
}
