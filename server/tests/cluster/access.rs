//! The shipped access control list: it lets a server do what it does, and no more.

use crate::{cluster::Cluster, engine::EngineProcess};

#[tokio::test]
async fn shipped_access_control_list_is_enough() {
    let password = "a-password-of-a-test";
    let list =
        include_str!("../../../deploy/valkey.acl").replace("replace-this-password", password);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("valkey.acl");
    std::fs::write(&file, list).unwrap();
    let mut cluster = Cluster::over(EngineProcess::start(&["--aclfile", file.to_str().unwrap()]));
    let password_file = cluster.write_file("password", password);
    let settings = format!(
        "{}\ncluster-user = \"rollcall\"\ncluster-password-file = \"{}\"",
        cluster.settings(),
        password_file.display()
    );
    cluster.start_servers(2, &settings);
    let mut ana = cluster.servers[0].connect("r").await;
    ana.announce("Ana", "a").await;
    let mut bo = cluster.servers[1].connect("r").await;
    bo.announce("Bo", "b").await;
    ana.wait_for_names(&["Ana", "Bo"]).await;
    let (_, status) = cluster.servers.remove(0).terminate().await;
    assert!(status.success());
    let log = cluster.servers[0].log();
    assert!(!log.contains("engine"), "nothing was refused: {log}");
}
