//! A client of the protocol, through a real socket.

use app::presence::{ExistingUsers, Replica, ServerEvent};
use futures_util::{SinkExt, StreamExt};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, protocol::frame::coding::CloseCode},
};

use super::TIMEOUT;

/// One socket and the list that it brought.
pub struct Client {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub cookie: String,
    pub replica: Replica,
}

impl Client {
    pub async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Announces itself and takes the list.
    pub async fn join(&mut self, name: &str) -> ExistingUsers {
        let name = serde_json::to_string(name).unwrap();
        self.send(&format!(r#"{{"event":"got_a_new_user","name":{name}}}"#)).await;
        self.list().await
    }

    /// Announces a tab, and waits for the answer.
    pub async fn announce(&mut self, name: &str, tab: &str) -> ServerEvent {
        self.send(&format!(r#"{{"event":"got_a_new_user","name":"{name}","tab":"{tab}"}}"#)).await;
        self.event().await
    }

    /// Announces a tab with the list that an earlier socket left, and waits for the answer.
    pub async fn resume(&mut self, earlier: Replica, name: &str, tab: &str) -> ServerEvent {
        let opening = format!(r#""event":"got_a_new_user","name":"{name}","tab":"{tab}""#);
        self.resume_with(earlier, &opening).await
    }

    /// Opens with these fields and the list that an earlier socket left, and waits for the answer.
    pub async fn resume_with(&mut self, earlier: Replica, opening: &str) -> ServerEvent {
        self.replica = earlier;
        self.replica.disconnected();
        let since = serde_json::to_string(self.replica.position().unwrap()).unwrap();
        self.send(&format!(r#"{{{opening},"since":{since}}}"#)).await;
        self.event().await
    }

    /// Watches and takes the list.
    pub async fn watch(&mut self) -> ExistingUsers {
        self.send(r#"{"event":"watch"}"#).await;
        self.list().await
    }

    /// The next frame as text; pings are answered on the way.
    pub async fn text(&mut self) -> String {
        loop {
            match timeout(TIMEOUT, self.socket.next()).await.unwrap().unwrap().unwrap() {
                Message::Text(text) => {
                    let event: ServerEvent = serde_json::from_str(&text).unwrap();
                    self.replica.receive(event).unwrap();
                    return text.to_string();
                }
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("a text frame was expected, not {other:?}"),
            }
        }
    }

    /// The next frame, brought into the replica.
    pub async fn event(&mut self) -> ServerEvent {
        serde_json::from_str(&self.text().await).unwrap()
    }

    /// A whole list, which has to be next.
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

    /// The code and message of a refusal, which has to be next.
    pub async fn refusal(&mut self) -> serde_json::Value {
        let frame: serde_json::Value = serde_json::from_str(&self.text().await).unwrap();
        assert_eq!(frame["event"], "refused", "{frame}");
        frame
    }

    /// Reads on until the list is as wanted.
    pub async fn wait_until(&mut self, condition: impl Fn(&Replica) -> bool) {
        while !condition(&self.replica) {
            self.event().await;
        }
    }

    /// Reads on until exactly these names are listed, in this order.
    pub async fn wait_for_names(&mut self, names: &[&str]) {
        self.wait_until(|replica| {
            replica.roster().users().map(|user| user.name.as_str()).eq(names.iter().copied())
        })
        .await;
    }

    /// The code that the server closes with; what it says before is taken in.
    pub async fn close_code(&mut self) -> Option<u16> {
        loop {
            match timeout(TIMEOUT, self.socket.next()).await.unwrap() {
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
    }

    /// Closes as a browser does when its page goes, and gets its close frame back.
    pub async fn close(mut self) {
        let going_away = tokio_tungstenite::tungstenite::protocol::CloseFrame {
            code: CloseCode::Away,
            reason: "".into(),
        };
        self.socket.close(Some(going_away)).await.unwrap();
        let mut is_answered = false;
        while let Some(Ok(message)) = timeout(TIMEOUT, self.socket.next()).await.unwrap() {
            is_answered |= matches!(message, Message::Close(_));
        }
        assert!(is_answered, "the closing handshake was cut short");
    }

    /// Breaks off without a word.
    pub fn abort(self) {
        drop(self.socket);
    }

    /// Ends the connection's outgoing half without a close frame, and stays.
    pub async fn send_fin(&mut self) {
        self.socket.get_mut().shutdown().await.unwrap();
    }

    /// Resets the connection, as a system does whose program was killed with data unread.
    pub fn reset(self) {
        let MaybeTlsStream::Plain(stream) = self.socket.get_ref() else { panic!("no TLS here") };
        stream.set_zero_linger().unwrap();
    }

    pub fn names(&self) -> Vec<String> {
        self.replica.roster().users().map(|user| user.name.to_string()).collect()
    }
}
