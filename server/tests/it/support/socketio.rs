//! A client of Socket.IO, written by hand: Engine.IO 4 by polling or over a WebSocket.

use std::collections::VecDeque;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        http::{
            Response,
            header::{COOKIE, SET_COOKIE},
        },
    },
};

use super::{Site, TIMEOUT, body, header};

/// What separates packets in the body of a polling request.
const SEPARATOR: char = '\u{1e}';

/// How packets travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Polling,
    WebSocket,
}

pub const TRANSPORTS: [Transport; 2] = [Transport::Polling, Transport::WebSocket];

enum Link {
    Polling,
    WebSocket(Box<WebSocketStream<MaybeTlsStream<TcpStream>>>),
}

/// A session, and the boxes of a page that shows its events.
pub struct IoClient {
    site: Site,
    link: Link,
    pub sid: String,
    pub cookie: String,
    received: VecDeque<String>,
    next_ack: u64,
    /// The rows as the original design's script keeps them: a box is added if there is none of its id.
    pub boxes: Vec<Value>,
    /// All events that came, by name.
    pub events: Vec<String>,
}

fn cookie_of(set_cookie: &str) -> String {
    set_cookie.split(';').next().unwrap().to_owned()
}

impl IoClient {
    /// Opens a session, as a new person, and enters the lobby.
    pub async fn connect(site: &Site, transport: Transport) -> Self {
        Self::enter(site, transport, "/", None).await
    }

    /// Opens a session, and enters a namespace.
    pub async fn enter(
        site: &Site,
        transport: Transport,
        path: &str,
        cookie: Option<&str>,
    ) -> Self {
        let mut client = Self::open(site, transport, cookie).await;
        let answer = client.enter_namespace(path).await;
        assert!(answer.starts_with('0'), "{answer}");
        client
    }

    /// Opens a session.
    pub async fn open(site: &Site, transport: Transport, cookie: Option<&str>) -> Self {
        let address = site.address;
        let site = Site { address };
        let (link, packet, set_cookie) = match transport {
            Transport::Polling => {
                let line = cookie.map(|cookie| format!("Cookie: {cookie}\r\n")).unwrap_or_default();
                let answer = site.get_with("/socket.io/?EIO=4&transport=polling", &line).await;
                assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
                let set_cookie = header(&answer, "set-cookie").unwrap().to_owned();
                (Link::Polling, body(&answer).to_owned(), set_cookie)
            }
            Transport::WebSocket => {
                let (mut socket, response) =
                    upgrade(&site, "EIO=4&transport=websocket", cookie).await.unwrap();
                let set_cookie = response.headers()[SET_COOKIE].to_str().unwrap();
                let first = socket.next().await.unwrap().unwrap().into_text().unwrap();
                let set_cookie = set_cookie.to_owned();
                (Link::WebSocket(Box::new(socket)), first.to_string(), set_cookie)
            }
        };
        let opened: Value = serde_json::from_str(packet.strip_prefix('0').unwrap()).unwrap();
        assert_eq!(opened["pingInterval"], 10_000);
        assert_eq!(opened["pingTimeout"], 5_000);
        assert_eq!(opened["maxPayload"], 4096);
        Self {
            site,
            link,
            sid: opened["sid"].as_str().unwrap().to_owned(),
            cookie: cookie_of(&set_cookie),
            received: VecDeque::new(),
            next_ack: 0,
            boxes: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Asks to enter a namespace, and returns the packet that answers.
    pub async fn enter_namespace(&mut self, path: &str) -> String {
        self.enter_namespace_with(path, "").await
    }

    /// With the data that a client's library calls `auth`.
    pub async fn enter_namespace_with(&mut self, path: &str, auth: &str) -> String {
        let path = if path == "/" { String::new() } else { format!("{path},") };
        self.send(&format!("0{path}{auth}")).await;
        loop {
            let packet = self.packet().await.unwrap();
            if packet.starts_with(&format!("0{path}")) || packet.starts_with(&format!("4{path}")) {
                return packet;
            }
            self.show(&packet);
        }
    }

    /// From polling to a WebSocket, as clients do.
    pub async fn upgrade(&mut self) {
        let query = format!("EIO=4&transport=websocket&sid={}", self.sid);
        let (mut socket, _) = upgrade(&self.site, &query, None).await.unwrap();
        socket.send(Message::text("2probe")).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("3probe"));
        socket.send(Message::text("5")).await.unwrap();
        self.link = Link::WebSocket(Box::new(socket));
    }

    /// Sends a packet of Socket.IO.
    pub async fn send(&mut self, packet: &str) {
        self.send_raw(&format!("4{packet}")).await;
    }

    /// Sends a packet of Engine.IO.
    pub async fn send_raw(&mut self, packet: &str) {
        match &mut self.link {
            Link::WebSocket(socket) => socket.send(Message::text(packet)).await.unwrap(),
            Link::Polling => {
                let answer = self.post(packet).await;
                assert!(answer.ends_with("\r\n\r\nok"), "{answer}");
            }
        }
    }

    /// Sends packets of Engine.IO in one write, whatever comes of it.
    pub async fn send_all(&mut self, packets: &[&str]) {
        match &mut self.link {
            Link::WebSocket(socket) => {
                for packet in packets {
                    socket.feed(Message::text(*packet)).await.unwrap();
                }
                socket.flush().await.unwrap();
            }
            Link::Polling => drop(self.post(&packets.join(&SEPARATOR.to_string())).await),
        }
    }

    /// The session may have ended meanwhile.
    async fn answer_ping(&mut self) {
        match &mut self.link {
            Link::WebSocket(socket) => drop(socket.send(Message::text("3")).await),
            Link::Polling => drop(self.post("3").await),
        }
    }

    /// The whole answer to a body that is posted.
    pub async fn post(&self, body: &str) -> String {
        let path = format!("/socket.io/?EIO=4&transport=polling&sid={}", self.sid);
        let head = format!(
            "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.site.request("POST", &path, &head).await
    }

    /// The whole answer to a poll.
    pub async fn poll(&self) -> String {
        self.try_poll().await.unwrap()
    }

    async fn try_poll(&self) -> std::io::Result<String> {
        let Self { site, sid, .. } = self;
        let path = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
        let host = site.address;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        site.try_answer_to(&request).await
    }

    /// The next packet of Socket.IO; none at the end of the session. Pings are answered.
    pub async fn packet(&mut self) -> Option<String> {
        timeout(TIMEOUT, self.next_packet()).await.expect("no packet arrived in time")
    }

    async fn next_packet(&mut self) -> Option<String> {
        loop {
            if self.received.is_empty() {
                match &mut self.link {
                    Link::WebSocket(socket) => match socket.next().await {
                        Some(Ok(Message::Text(text))) => self.received.push_back(text.to_string()),
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(_) | Err(_)) | None => return None,
                    },
                    Link::Polling => {
                        // A server that ends may reset the connection, as it may that of a WebSocket.
                        let Ok(answer) = self.try_poll().await else { return None };
                        if !answer.starts_with("HTTP/1.1 200 ") {
                            return None;
                        }
                        self.received.extend(body(&answer).split(SEPARATOR).map(str::to_owned));
                    }
                }
                continue;
            }
            let packet = self.received.pop_front()?;
            match packet.chars().next() {
                Some('4') => return packet.get(1..).map(str::to_owned),
                Some('2') => self.answer_ping().await,
                Some('6') => {}
                _ => return None,
            }
        }
    }

    /// The next event and its argument, of whatever namespace; it is shown.
    pub async fn event(&mut self) -> (String, Value) {
        loop {
            let packet = self.packet().await.expect("the session ended");
            if let Some(event) = self.show(&packet) {
                return event;
            }
        }
    }

    /// Emits an event in the lobby.
    pub async fn emit(&mut self, event: &str, argument: Value) {
        let arguments = serde_json::json!([event, argument]);
        self.send(&format!("2{arguments}")).await;
    }

    /// Emits an event in the lobby, and waits for the acknowledgement.
    pub async fn ask(&mut self, event: &str, argument: Value) -> Value {
        self.next_ack += 1;
        let arguments = serde_json::json!([event, argument]);
        self.send(&format!("2{}{arguments}", self.next_ack)).await;
        let expected = format!("3{}", self.next_ack);
        loop {
            let packet = self.packet().await.expect("the session ended");
            match packet.strip_prefix(&expected) {
                Some(answer) => {
                    let answer: Value = serde_json::from_str(answer).unwrap();
                    return answer[0].clone();
                }
                None => drop(self.show(&packet)),
            }
        }
    }

    /// Joins the lobby, and waits for the list.
    pub async fn join(&mut self, name: &str) -> Value {
        self.emit("got_a_new_user", serde_json::json!({ "name": name })).await;
        loop {
            let (event, argument) = self.event().await;
            if event == "existing_users" {
                return argument;
            }
        }
    }

    /// Waits until the boxes have these names, in this order.
    pub async fn wait_for_names(&mut self, names: &[&str]) {
        while self.names() != names {
            self.event().await;
        }
    }

    /// The names in the boxes.
    pub fn names(&self) -> Vec<&str> {
        self.boxes.iter().map(|row| row["name"].as_str().unwrap()).collect()
    }

    /// Ends the connection without a word, or polls no more.
    pub fn abort(self) {
        drop(self);
    }

    fn show(&mut self, packet: &str) -> Option<(String, Value)> {
        let start = packet.find('[').filter(|_| packet.starts_with('2'))?;
        let event: Value = serde_json::from_str(&packet[start..]).unwrap();
        let (name, argument) = (event[0].as_str().unwrap().to_owned(), event[1].clone());
        self.events.push(name.clone());
        let place =
            |boxes: &[Value], row: &Value| boxes.iter().position(|it| it["id"] == row["id"]);
        match &*name {
            "new_user" if place(&self.boxes, &argument).is_none() => {
                self.boxes.push(argument.clone());
            }
            "existing_users" => {
                for row in argument.as_array().unwrap() {
                    if place(&self.boxes, row).is_none() {
                        self.boxes.push(row.clone());
                    }
                }
            }
            "user_changed" => {
                if let Some(place) = place(&self.boxes, &argument) {
                    self.boxes[place] = argument.clone();
                }
            }
            "disconnect_user" | "disconnected_user" => {
                if let Some(place) = place(&self.boxes, &argument) {
                    self.boxes.remove(place);
                }
            }
            _ => {}
        }
        Some((name, argument))
    }
}

/// The upgrade to a WebSocket of Engine.IO.
pub async fn upgrade(
    site: &Site,
    query: &str,
    cookie: Option<&str>,
) -> tungstenite::Result<(WebSocketStream<MaybeTlsStream<TcpStream>>, Response<Option<Vec<u8>>>)> {
    let url = format!("ws://{}/socket.io/?{query}", site.address);
    let mut request = url.into_client_request().unwrap();
    if let Some(cookie) = cookie {
        request.headers_mut().insert(COOKIE, cookie.parse().unwrap());
    }
    timeout(TIMEOUT, connect_async(request)).await.expect("the server did not answer in time")
}
