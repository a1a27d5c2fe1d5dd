//! A primary that is lost, and a replica that Sentinel puts in its place.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::{
    TIMEOUT,
    cluster::Cluster,
    engine::{EngineProcess, Sentinel},
};

/// How often something is asked that nothing tells.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Waits until an engine says this of itself.
async fn wait_for_info(engine: &EngineProcess, text: &str) {
    let waiting = async {
        while !engine.ask::<String>(&["INFO", "replication"]).await.contains(text) {
            sleep(POLL_INTERVAL).await;
        }
    };
    timeout(TIMEOUT, waiting).await.unwrap_or_else(|_| panic!("the engine never said {text}"));
}

#[tokio::test]
async fn servers_follow_sentinel_to_the_new_primary() {
    let primary = EngineProcess::start(&["--repl-diskless-sync-delay", "0"]);
    let replica = EngineProcess::start(&["--replicaof", "127.0.0.1", &primary.port().to_string()]);
    wait_for_info(&replica, "master_link_status:up").await;
    let sentinel = Sentinel::of("main", &primary);
    sentinel.wait_until_it_knows_a_replica("main").await;
    let mut cluster = Cluster::over(primary);
    let by_sentinel = cluster
        .settings()
        .replace(&cluster.engine.address().to_string(), &sentinel.address().to_string());
    cluster.start_servers(2, &format!("{by_sentinel}\ncluster-sentinel = \"main\""));

    let mut ana = cluster.servers[0].connect("r").await;
    ana.announce("Ana", "a").await;
    let mut bo = cluster.servers[1].connect("r").await;
    bo.announce("Bo", "b").await;
    ana.wait_for_names(&["Ana", "Bo"]).await;
    cluster.engine.kill();
    wait_for_info(&replica, "role:master").await;
    // What the replica had not received is told again, and the servers go on over it.
    let mut cy = cluster.servers[0].connect("r").await;
    cy.announce("Cy", "c").await;
    for client in [&mut ana, &mut bo, &mut cy] {
        client
            .wait_until(|replica| {
                let mut names: Vec<_> =
                    replica.roster().users().map(|user| user.name.to_string()).collect();
                names.sort();
                names == ["Ana", "Bo", "Cy"]
            })
            .await;
    }
}
