//! What visitors meet while the engine is away.

use crate::cluster::Cluster;

#[tokio::test]
async fn room_that_a_server_can_not_get_is_refused_with_its_reason() {
    let cluster = Cluster::start(1);
    let server = &cluster.servers[0];
    let mut ana = server.connect("known").await;
    ana.join("Ana").await;
    cluster.engine.kill();
    server.wait_until_logged("the engine has been silent").await;
    for path in ["/r/unknown/socket", "/api/rooms/unknown/events", "/api/events?rooms=unknown"] {
        let answer = server.get(path).await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{path}: {answer}");
        assert!(answer.contains("retry-after: 2\r\n"), "{path}: {answer}");
        assert!(answer.contains("can't reach the others"), "{path}: {answer}");
    }
    let why = server.get("/r/unknown/socket").await;
    assert!(why.contains("\"code\":\"engine\""), "{why}");
    // What the server knows can be read and entered.
    assert!(server.get("/r/known").await.contains("Ana"));
    assert!(server.get("/r/known/socket").await.starts_with("HTTP/1.1 426 "));
    assert!(server.get("/r/unknown").await.starts_with("HTTP/1.1 200 "));
}
