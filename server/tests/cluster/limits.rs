//! The limits of a server in a cluster: those of the machine, as on a server alone.

use app::presence::{PresenceState, RefusalCode, ServerEvent};

use crate::cluster::Cluster;

#[tokio::test]
async fn rows_of_one_address_shrink_with_the_connections() {
    let mut cluster = Cluster::start(0);
    // Four sockets of one address, which may make twice as many rows. Without a limit of connections it would be 4,000.
    let settings = format!("{}\n[limits]\nmax-connections = 10", cluster.settings());
    cluster.start_servers(1, &settings);
    let server = &cluster.servers[0];
    let mut watcher = server.connect("r").await;
    watcher.watch().await;
    let mut waiting = 0;
    let refusal = loop {
        let mut client = server.connect("r").await;
        let join = format!(r#"{{"event":"got_a_new_user","name":"Visitor {waiting}"}}"#);
        client.send(&join).await;
        if let ServerEvent::Refused(refusal) = client.event().await {
            break refusal;
        }
        client.abort();
        waiting += 1;
        assert!(waiting < 20, "so many rows without a socket are too many for one address");
        watcher
            .wait_until(|list| {
                let users = list.roster().users();
                users.filter(|user| user.state == PresenceState::Reconnecting).count() == waiting
            })
            .await;
    };
    // The watcher and the new socket count as well.
    assert_eq!((waiting, refusal.code), (7, RefusalCode::RoomFull));
}
