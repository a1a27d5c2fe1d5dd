//! What visitors of several servers see: one list.

use app::presence::ServerEvent;

use crate::cluster::Cluster;

#[tokio::test]
async fn people_of_three_servers_are_in_one_list() {
    let cluster = Cluster::start(3);
    let mut clients = Vec::new();
    for (server, name) in cluster.servers.iter().zip(["Ana", "Bo", "Cy"]) {
        let mut client = server.connect("r").await;
        client.join(name).await;
        clients.push(client);
    }
    for client in &mut clients {
        client.wait_for_names(&["Ana", "Bo", "Cy"]).await;
    }
    // All of them have the same list at the same position.
    let positions: Vec<_> = clients.iter().map(|client| client.replica.position()).collect();
    assert!(positions.iter().all(|position| *position == positions[0]), "{positions:?}");
    let page = cluster.servers[2].get("/r/r").await;
    assert!(["Ana", "Bo", "Cy"].iter().all(|name| page.contains(name)));
    // Looking at a room creates nothing.
    cluster.servers[0].get("/r/nobody").await;
    let keys: Vec<String> = cluster.engine.ask(&["KEYS", "rollcall:{nobody}:*"]).await;
    assert_eq!(keys, [""; 0]);
}

#[tokio::test]
async fn tabs_on_three_servers_are_one_row() {
    let cluster = Cluster::start(3);
    let mut first = cluster.servers[0].connect("r").await;
    first.announce("Ana", "a").await;
    let cookie = first.cookie.clone();
    let mut others = Vec::new();
    for (server, tab) in cluster.servers[1..].iter().zip(["b", "c"]) {
        let mut client = server.connect_as("r", Some(&cookie)).await;
        client.announce("Ana", tab).await;
        others.push(client);
    }
    let mut watcher = cluster.servers[1].connect("r").await;
    let list = watcher.watch().await;
    assert_eq!(list.users.len(), 1, "{list:?}");
}

#[tokio::test]
async fn client_that_changes_servers_resumes_with_its_position() {
    let cluster = Cluster::start(2);
    let mut ana = cluster.servers[0].connect("r").await;
    ana.announce("Ana", "a").await;
    let (cookie, replica) = (ana.cookie.clone(), ana.replica.clone());
    ana.abort();
    let mut ana = cluster.servers[1].connect_as("r", Some(&cookie)).await;
    let reply = ana.resume(replica, "Ana", "a").await;
    assert!(matches!(reply, ServerEvent::Resumed(_)), "{reply:?}");
}

#[tokio::test]
async fn privacy_page_says_what_the_engine_keeps() {
    let cluster = Cluster::start(1);
    let page = cluster.servers[0].get("/privacy").await;
    assert_eq!(page.matches("<p>").count(), 7, "{page}");
    for phrase in ["Valkey or Redis", "10 minutes", "Names are not written to logs"] {
        assert!(page.contains(phrase), "{phrase}");
    }
    assert!(!page.contains("a file that only the server can read"), "there is none");
}
