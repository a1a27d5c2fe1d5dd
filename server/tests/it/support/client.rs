//! A client of the protocol, through a real socket.

use app::{
    client::Replica,
    presence::{Changes, ExistingUsers, ServerEvent},
};
use futures_util::{SinkExt, StreamExt};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async,
    tungstenite::{Message, http::header, protocol::frame::coding::CloseCode},
};

use super::{
    TIMEOUT,
    described::{assert_is_frame, assert_is_sent_frame},
};

/// A socket and the list that it received.
pub struct Client {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub cookie: String,
    pub replica: Replica,
}

impl Client {
    /// Over a connection that is open already.
    pub async fn over(stream: TcpStream, room: &str) -> Self {
        let url = format!("ws://{}/r/{room}/socket", stream.peer_addr().unwrap());
        let opening = client_async(url, MaybeTlsStream::Plain(stream));
        let opened = timeout(TIMEOUT, opening).await.expect("the server did not answer in time");
        let (socket, response) = opened.unwrap();
        let set_cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
        let cookie = set_cookie.split(';').next().unwrap().to_owned();
        Self { socket, cookie, replica: Replica::default() }
    }

    pub async fn send(&mut self, text: &str) {
        assert_is_sent_frame(text);
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Sends what need not be a frame of the protocol.
    pub async fn send_raw(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Joins, and returns the list.
    pub async fn join(&mut self, name: &str) -> ExistingUsers {
        let name = serde_json::to_string(name).unwrap();
        self.send(&format!(r#"{{"event":"got_a_new_user","name":{name}}}"#)).await;
        self.list().await
    }

    /// Joins with a tab id, and returns the reply.
    pub async fn announce(&mut self, name: &str, tab: &str) -> ServerEvent {
        self.send(&format!(r#"{{"event":"got_a_new_user","name":"{name}","tab":"{tab}"}}"#)).await;
        self.event().await
    }

    /// Joins with a tab id and the position of an earlier list, and returns the reply.
    pub async fn resume(&mut self, earlier: Replica, name: &str, tab: &str) -> ServerEvent {
        let opening = format!(r#""event":"got_a_new_user","name":"{name}","tab":"{tab}""#);
        self.resume_with(earlier, &opening).await
    }

    /// Sends these fields and the position of an earlier list, and returns the reply.
    pub async fn resume_with(&mut self, earlier: Replica, opening: &str) -> ServerEvent {
        self.replica = earlier;
        self.replica.disconnected();
        let since = serde_json::to_string(self.replica.position().unwrap()).unwrap();
        self.send(&format!(r#"{{{opening},"since":{since}}}"#)).await;
        self.event().await
    }

    /// Watches, and returns the list.
    pub async fn watch(&mut self) -> ExistingUsers {
        self.send(r#"{"event":"watch"}"#).await;
        self.list().await
    }

    /// The next text frame. Pings are answered.
    pub async fn text(&mut self) -> String {
        let receiving = async {
            loop {
                match self.socket.next().await.unwrap().unwrap() {
                    Message::Text(text) => {
                        assert_is_frame(&text);
                        let event: ServerEvent = serde_json::from_str(&text).unwrap();
                        self.replica.receive(event).unwrap();
                        return text.to_string();
                    }
                    Message::Ping(_) | Message::Pong(_) => {}
                    other => panic!("a text frame was expected, not {other:?}"),
                }
            }
        };
        timeout(TIMEOUT, receiving).await.expect("no text frame arrived in time")
    }

    /// The next event, applied to the replica.
    pub async fn event(&mut self) -> ServerEvent {
        serde_json::from_str(&self.text().await).unwrap()
    }

    /// The next changes, without beats.
    pub async fn changes(&mut self) -> Changes {
        let receiving = async {
            loop {
                match self.event().await {
                    ServerEvent::Changes(changes) => return changes,
                    ServerEvent::Beat(_) => {}
                    other => panic!("changes were expected, not {other:?}"),
                }
            }
        };
        timeout(TIMEOUT, receiving).await.expect("no changes arrived in time")
    }

    /// A whole list, which must be next.
    pub async fn list(&mut self) -> ExistingUsers {
        let ServerEvent::ExistingUsers(mut list) = self.event().await else {
            panic!("a list was expected")
        };
        while list.users.len() < list.count {
            let ServerEvent::MoreUsers(more) = self.event().await else {
                panic!("more of the list was expected")
            };
            list.users.extend(more.users);
        }
        list
    }

    /// A refusal, which must be next.
    pub async fn refusal(&mut self) -> serde_json::Value {
        let frame: serde_json::Value = serde_json::from_str(&self.text().await).unwrap();
        assert_eq!(frame["event"], "refused", "{frame}");
        frame
    }

    /// Receives events until the list meets the condition. Events do not prolong the time limit.
    pub async fn wait_until(&mut self, condition: impl Fn(&Replica) -> bool) {
        let waiting = async {
            while !condition(&self.replica) {
                self.event().await;
            }
        };
        let is_met = timeout(TIMEOUT, waiting).await.is_ok();
        assert!(is_met, "the list was not as expected in time: {:?}", self.names());
    }

    /// Receives events until exactly these names are listed, in this order.
    pub async fn wait_for_names(&mut self, names: &[&str]) {
        self.wait_until(|replica| {
            replica.roster().users().map(|user| user.name.as_str()).eq(names.iter().copied())
        })
        .await;
    }

    /// The code of the server's close frame. Events before it are applied.
    pub async fn close_code(&mut self) -> Option<u16> {
        let receiving = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Close(frame))) => {
                        return frame.map(|frame| u16::from(frame.code));
                    }
                    Some(Ok(Message::Text(text))) => {
                        let event: ServerEvent = serde_json::from_str(&text).unwrap();
                        self.replica.receive(event).unwrap();
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return None,
                }
            }
        };
        timeout(TIMEOUT, receiving).await.expect("the socket was not closed in time")
    }

    /// Closes with 1001, like a browser whose page is closed, and waits for the server's close frame.
    pub async fn close(mut self) {
        let going_away = tokio_tungstenite::tungstenite::protocol::CloseFrame {
            code: CloseCode::Away,
            reason: "".into(),
        };
        self.socket.close(Some(going_away)).await.unwrap();
        let mut is_answered = false;
        let receiving = async {
            while let Some(Ok(message)) = self.socket.next().await {
                is_answered |= matches!(message, Message::Close(_));
            }
        };
        timeout(TIMEOUT, receiving).await.expect("the connection did not end in time");
        assert!(is_answered, "the closing handshake was cut short");
    }

    /// Drops the connection without a close frame.
    pub fn abort(self) {
        drop(self.socket);
    }

    /// Shuts down the sending side without a close frame.
    pub async fn send_fin(&mut self) {
        self.socket.get_mut().shutdown().await.unwrap();
    }

    /// Resets the connection, like the system of a killed process with unread data.
    pub fn reset(self) {
        let MaybeTlsStream::Plain(stream) = self.socket.get_ref() else { panic!("no TLS here") };
        stream.set_zero_linger().unwrap();
    }

    pub fn names(&self) -> Vec<String> {
        self.replica.roster().users().map(|user| user.name.to_string()).collect()
    }
}
