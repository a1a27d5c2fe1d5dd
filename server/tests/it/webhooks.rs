//! Webhooks, through a receiver that answers, fails, hangs, cuts and comes back.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use serde_json::Value;
use server::websocket::connection::ConnectionConfig;
use sha2::Sha256;
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
    task::AbortHandle,
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use crate::support::{
    Site, TestServer, body, described::assert_is_message, process::ServerProcess,
    tls::Certificates, write_secret,
};

/// The time limit of every wait, so that a test that would hang fails.
const TIMEOUT: Duration = Duration::from_mins(1);

const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What the receiver does with a message that it has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Accept,
    Status(&'static str),
    /// It ends the connection without an answer.
    Cut,
    /// It never answers.
    Hang,
}

/// A message, and what the receiver did with it.
#[derive(Debug)]
struct Received {
    id: String,
    body: Value,
    answer: Answer,
}

/// A receiver on a free port.
struct Receiver {
    address: SocketAddr,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    received: mpsc::UnboundedReceiver<Received>,
    serving: AbortHandle,
    scheme: &'static str,
    files: TempDir,
}

impl Receiver {
    /// Which answers so, and accepts everything then.
    async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self::start_with(answers, None).await
    }

    /// Which speaks TLS with the certificate of a folder.
    async fn with_tls(certificates: &Certificates) -> Self {
        let read = |name| std::fs::read(certificates.path(name)).unwrap();
        let certificate = CertificateDer::from_pem_slice(&read("certificate.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_slice(&read("key.pem")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Self::start_with([], Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn start_with(
        answers: impl IntoIterator<Item = Answer>,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answers: Arc<Mutex<VecDeque<_>>> = Arc::new(Mutex::new(answers.into_iter().collect()));
        let (sender, received) = mpsc::unbounded_channel();
        let own = Arc::clone(&answers);
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (own, sender, tls) = (Arc::clone(&own), sender.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => answer(stream, own, sender).await,
                        Some(tls) => {
                            // A sender that does not trust the certificate ends here.
                            if let Ok(stream) = tls.accept(stream).await {
                                answer(stream, own, sender).await;
                            }
                        }
                    }
                });
            }
        });
        let files = tempfile::tempdir().unwrap();
        write_secret(&files.path().join("secret"), format!("whsec_{SECRET}\n"));
        Self { address, answers, received, serving: serving.abort_handle(), scheme, files }
    }

    /// The settings of a server that tells it, with these lines for the table.
    fn settings(&self, lines: &str) -> String {
        let secret = self.files.path().join("secret");
        format!(
            "\n[[webhooks]]\nurl = \"{}://{}/hooks?key=1\"\nsecret-file = {:?}\n{lines}\n",
            self.scheme,
            self.address,
            secret.to_string_lossy(),
        )
    }

    async fn next(&mut self) -> Received {
        timeout(TIMEOUT, self.received.recv()).await.expect("no message arrived in time").unwrap()
    }

    /// Follows the messages until this many events were accepted, each message once.
    async fn events(&mut self, number: usize) -> Vec<Value> {
        let (mut seen, mut events) = (BTreeSet::new(), Vec::new());
        while events.len() < number {
            let Received { id, body, answer } = self.next().await;
            if answer == Answer::Accept && seen.insert(id) {
                events.extend(body["data"]["events"].as_array().unwrap().iter().cloned());
            }
        }
        events
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Reads one message, checks its form and its signature, and answers.
async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    received: mpsc::UnboundedSender<Received>,
) {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
            break String::from_utf8(bytes.drain(..end + 4).collect()).unwrap();
        }
        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return;
        }
    };
    assert!(head.starts_with("POST /hooks?key=1 HTTP/1.1\r\n"), "{head}");
    let header = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("{name} is missing: {head}")).to_owned()
    };
    assert_eq!(header("content-type"), "application/json");
    let length: usize = header("content-length").parse().unwrap();
    while bytes.len() < length {
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "the body ended early");
    }
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let mut mac = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(SECRET).unwrap()).unwrap();
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(&bytes);
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(header("webhook-signature"), expected);
    let body = String::from_utf8(bytes).unwrap();
    assert_is_message("presence.batch", &body);
    let body = serde_json::from_str(&body).unwrap();
    let answer = answers.lock().unwrap().pop_front().unwrap_or(Answer::Accept);
    // The test may have ended.
    let _ = received.send(Received { id, body, answer });
    match answer {
        Answer::Accept => stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap(),
        Answer::Status(status) => {
            let text = format!("HTTP/1.1 {status}\r\nLocation: /elsewhere\r\n\r\n");
            stream.write_all(text.as_bytes()).await.unwrap();
        }
        Answer::Cut => {}
        Answer::Hang => {
            // Until the sender gives up.
            let _ = stream.read(&mut [0]).await;
        }
    }
}

fn with_webhook(receiver: &Receiver, lines: &str) -> TestServer {
    TestServer::start_with(&receiver.settings(lines), ConnectionConfig::default())
}

/// Type, room, and who, for one line each.
fn short(events: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let line = |event: &Value| {
        [text(&event["type"]), text(&event["room"]), text(&event["user"]["name"])].join(" ")
    };
    events.iter().map(line).map(|line| line.trim().to_owned()).collect()
}

#[tokio::test]
async fn receiver_is_told_who_comes_and_goes() {
    let mut receiver = Receiver::start([]).await;
    let server = with_webhook(&receiver, "");
    // What was before is not known: everything is to be read.
    let first = receiver.next().await.body;
    assert_eq!(first["type"], "presence.batch");
    let resync = serde_json::json!([{"type":"presence.resync","all":true,"rooms":[]}]);
    assert_eq!(first["data"]["events"], resync);
    let mut ana = server.connect("team").await;
    ana.announce("Ana", "t1").await;
    let mut bo = server.connect("team").await;
    bo.announce("Bo", "t1").await;
    bo.send(r#"{"event":"rename","name":"Bob"}"#).await;
    bo.wait_for_names(&["Ana", "Bob"]).await;
    for client in [&mut bo, &mut ana] {
        client.send(r#"{"event":"leave"}"#).await;
    }
    let events = receiver.events(6).await;
    assert_eq!(
        short(&events),
        [
            "room.occupied team",
            "user.joined team Ana",
            "user.joined team Bo",
            "user.left team",
            "user.left team",
            "room.vacated team",
        ]
    );
    let positions: Vec<_> =
        events.iter().map(|event| (event["from"].as_u64(), event["seq"].as_u64())).collect();
    let of = |from, seq| (Some(from), Some(seq));
    assert_eq!(positions, [of(0, 1), of(0, 1), of(1, 2), of(2, 4), of(4, 5), of(4, 5)]);
    let epoch = ana.replica.position().unwrap().epoch.as_str();
    assert!(events.iter().all(|event| event["epoch"] == epoch), "{events:?}");
    assert_eq!(events[3]["reason"], "left");
    let id = bo.replica.you().unwrap();
    assert_eq!(events[3]["id"], id.as_str());
    server.stop().await;
}

#[tokio::test]
async fn receiver_gets_the_rooms_and_events_that_it_takes() {
    let mut receiver = Receiver::start([]).await;
    let lines = "rooms = [\"team-*\"]\nevents = [\"user.joined\"]";
    let server = with_webhook(&receiver, lines);
    receiver.next().await;
    for room in ["lobby", "team-1", "team", "team-2"] {
        let mut client = server.connect(room).await;
        client.announce("Ana", "t1").await;
        client.send(r#"{"event":"leave"}"#).await;
        client.wait_for_names(&[]).await;
    }
    let events = receiver.events(2).await;
    assert_eq!(short(&events), ["user.joined team-1 Ana", "user.joined team-2 Ana"]);
    server.stop().await;
}

#[tokio::test]
async fn each_event_arrives_once_and_in_order_through_a_receiver_that_fails() {
    let failures =
        [Answer::Accept, Answer::Status("500 Oh"), Answer::Cut, Answer::Status("302 Found")];
    let mut receiver = Receiver::start(failures).await;
    let server = with_webhook(&receiver, "");
    receiver.next().await;
    let mut expected = vec!["room.occupied team".to_owned()];
    let mut clients = Vec::new();
    for number in 0..150 {
        let mut client = server.connect("team").await;
        let name = format!("Person {number}");
        client.announce(&name, "t1").await;
        expected.push(format!("user.joined team {name}"));
        clients.push(client);
    }
    let (mut ids, mut events) = (Vec::new(), Vec::new());
    while events.len() < expected.len() {
        let Received { id, body, answer } = receiver.next().await;
        if answer == Answer::Accept {
            let more = body["data"]["events"].as_array().unwrap();
            assert!(more.len() <= 100);
            events.extend(more.iter().cloned());
        }
        ids.push((id, body));
    }
    assert_eq!(short(&events), expected);
    // A message that fails is sent again as it was, before any other.
    let [first, again, third, fourth, ..] = &ids[..] else { panic!("{ids:?}") };
    assert!(first == again && first == third && first == fourth);
    assert_eq!(ids.iter().filter(|message| *message == first).count(), 4);
    server.stop().await;
}

#[tokio::test]
async fn receiver_that_hangs_is_asked_again() {
    let mut receiver = Receiver::start([Answer::Hang]).await;
    let server = with_webhook(&receiver, "");
    let (hanging, again) = (receiver.next().await, receiver.next().await);
    assert_eq!((hanging.answer, again.answer), (Answer::Hang, Answer::Accept));
    assert_eq!((hanging.id, hanging.body), (again.id, again.body));
    server.stop().await;
}

#[tokio::test]
async fn receiver_that_is_gone_gets_no_more() {
    let mut receiver = Receiver::start([Answer::Status("410 Gone")]).await;
    let settings = format!("operator-addr = \"127.0.0.1:0\"{}", receiver.settings(""));
    let server = ServerProcess::start_with(&settings);
    assert_eq!(receiver.next().await.answer, Answer::Status("410 Gone"));
    server.wait_until_logged("a webhook's receiver is gone (410)").await;
    let mut ana = server.connect("team").await;
    ana.announce("Ana", "t1").await;
    let metrics = server.operator().await.get("/metrics").await;
    assert!(metrics.contains("\nrollcall_webhook_attempts_total 1\n"), "{metrics}");
    assert!(metrics.contains("\nrollcall_webhook_events_waiting 0\n"), "{metrics}");
    let log = server.log();
    assert!(!log.contains("key=1") && !log.contains(SECRET) && !log.contains("Ana"), "{log}");
}

/// A server that trusts this authority alone.
fn that_trusts(certificates: &Certificates, presence: &str) -> ServerProcess {
    let mut environment = Command::new("env");
    environment.arg(format!("SSL_CERT_FILE={}", certificates.path("certificate.pem").display()));
    ServerProcess::start_by(environment, presence)
}

#[tokio::test]
async fn names_are_sent_only_to_whom_a_trusted_certificate_vouches_for() {
    let [trusted, other] = [Certificates::new(), Certificates::new()];
    trusted.make();
    other.make();
    let mut receiver = Receiver::with_tls(&trusted).await;
    let server = that_trusts(&trusted, &receiver.settings(""));
    assert_eq!(receiver.next().await.answer, Answer::Accept);
    drop(server);
    let server = that_trusts(&other, &receiver.settings(""));
    server.wait_until_logged("a webhook can't be delivered").await;
    assert!(server.log().contains("certificate"), "{}", server.log());
    assert!(receiver.received.try_recv().is_err());
}

/// The lists of a backend that follows the rules of docs/integrate.md.
#[derive(Default)]
struct Backend {
    rooms: BTreeMap<String, (String, u64, BTreeSet<String>)>,
}

impl Backend {
    async fn on(&mut self, site: &Site, event: &Value) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        if event["type"] == "presence.resync" {
            if event["all"] == true {
                self.rooms.clear();
            }
            for room in event["rooms"].as_array().unwrap() {
                self.read(site, room.as_str().unwrap()).await;
            }
            return;
        }
        let (room, epoch) = (text(&event["room"]), text(&event["epoch"]));
        let is_known = self.rooms.get(&room).is_some_and(|(known, ..)| *known == epoch);
        if !is_known && event["from"] == 0 {
            self.rooms.insert(room.clone(), (epoch.clone(), 0, BTreeSet::new()));
        }
        let Some((known, seq, people)) = self.rooms.get_mut(&room) else { return };
        if *known != epoch || event["seq"].as_u64().unwrap() <= *seq {
            return;
        }
        if event["type"] == "user.joined" {
            people.insert(text(&event["user"]["id"]));
        } else if event["type"] == "user.left" {
            people.remove(event["id"].as_str().unwrap());
        }
    }

    async fn read(&mut self, site: &Site, room: &str) {
        let (epoch, seq, ids) = list(site, room).await;
        self.rooms.insert(room.to_owned(), (epoch, seq, ids));
    }

    fn people(&self, room: &str) -> BTreeSet<String> {
        self.rooms.get(room).map(|(.., people)| people.clone()).unwrap_or_default()
    }
}

async fn list(site: &Site, room: &str) -> (String, u64, BTreeSet<String>) {
    let answer = site.get(&format!("/api/rooms/{room}/users")).await;
    let list: Value = serde_json::from_str(body(&answer)).unwrap();
    let ids = list["users"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap());
    let ids = ids.map(str::to_owned).collect();
    (list["epoch"].as_str().unwrap().to_owned(), list["seq"].as_u64().unwrap(), ids)
}

#[tokio::test]
async fn server_that_is_killed_leads_to_a_resync_and_equal_lists() {
    let mut receiver = Receiver::start([]).await;
    let settings = receiver.settings("");
    let server = ServerProcess::start_with(&settings);
    let (mut backend, mut seen) = (Backend::default(), BTreeSet::new());
    let mut ana = server.connect("team").await;
    ana.announce("Ana", "t1").await;
    let mut bo = server.connect("team").await;
    bo.announce("Bo", "t1").await;
    while backend.people("team").len() < 2 {
        let message = receiver.next().await;
        assert!(seen.insert(message.id));
        for event in message.body["data"]["events"].as_array().unwrap() {
            backend.on(&server, event).await;
        }
    }
    // The next message does not arrive before the end, so what it says is lost with the server.
    receiver.answers.lock().unwrap().push_back(Answer::Cut);
    let mut cy = server.connect("lost").await;
    cy.announce("Cy", "t1").await;
    assert_eq!(receiver.next().await.answer, Answer::Cut);
    let stopped = server.kill();
    let server = stopped.start_with(&settings);
    let mut dana = server.connect("team").await;
    dana.announce("Dana", "t1").await;
    // Ana comes back, and Bo does not: his row ends after its grace.
    let mut ana_again = server.connect_as("team", Some(&ana.cookie)).await;
    ana_again.announce("Ana", "t1").await;
    let mut is_resync_seen = false;
    loop {
        let (.., team) = list(&server, "team").await;
        let (.., lost) = list(&server, "lost").await;
        let are_equal = backend.people("team") == team && backend.people("lost") == lost;
        if is_resync_seen && are_equal && (team.len(), lost.len()) == (2, 0) {
            break;
        }
        let message = receiver.next().await;
        assert!(seen.insert(message.id));
        for event in message.body["data"]["events"].as_array().unwrap() {
            is_resync_seen |= event["type"] == "presence.resync" && event["all"] == true;
            backend.on(&server, event).await;
        }
    }
}

#[tokio::test]
async fn privacy_page_says_that_names_are_passed_on_where_they_are() {
    let receiver = Receiver::start([]).await;
    let sentence = "programs of theirs told who comes into a room";
    for (lines, is_passed_on) in
        [("", true), ("events = [\"room.occupied\", \"room.vacated\"]", false)]
    {
        let server = with_webhook(&receiver, lines);
        let page = server.get("/privacy").await;
        assert_eq!(page.contains(sentence), is_passed_on, "{lines}: {page}");
        server.stop().await;
    }
}
