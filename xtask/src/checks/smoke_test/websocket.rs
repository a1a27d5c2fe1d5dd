//! A client's WebSocket, with the cookie that identifies its person.

use std::net::TcpStream;

use tungstenite::client::IntoClientRequest as _;
use tungstenite::http::{HeaderValue, header};
use tungstenite::{Message, Utf8Bytes};

use super::TIMEOUT;
use crate::output::failure::{Context, Failure, Outcome};

/// A message of the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    Text(Utf8Bytes),
    /// A close frame, with its code if it has one.
    Close(Option<u16>),
}

/// An open socket of a person.
#[derive(Debug)]
pub(super) struct WebSocket {
    socket: tungstenite::WebSocket<TcpStream>,
    cookie: String,
}

impl WebSocket {
    /// Opens a socket at this path, as the person of this cookie or as a new one.
    pub(super) fn open(address: &str, path: &str, cookie: Option<&str>) -> Outcome<Self> {
        let could_not = || format!("Could not open a WebSocket at {address}{path}");
        let stream = TcpStream::connect(address).with_context(could_not)?;
        stream.set_read_timeout(Some(TIMEOUT)).with_context(could_not)?;
        let request = format!("ws://{address}{path}").into_client_request();
        let mut request = request.with_context(could_not)?;
        if let Some(cookie) = cookie {
            let value = HeaderValue::from_str(cookie).with_context(could_not)?;
            request.headers_mut().insert(header::COOKIE, value);
        }
        let (socket, response) = tungstenite::client(request, stream).with_context(could_not)?;
        let set_cookie = response.headers().get(header::SET_COOKIE);
        let set_cookie = set_cookie.and_then(|value| value.to_str().ok()?.split(';').next());
        let cookie = set_cookie.or(cookie).ok_or_else(|| {
            Failure::new(format!("The server set no cookie on the WebSocket at {path}."))
        })?;
        Ok(Self { socket, cookie: cookie.to_owned() })
    }

    /// The cookie that identifies the person on a later socket.
    pub(super) fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Sends a text message.
    pub(super) fn send(&mut self, text: &str) -> Outcome {
        self.socket
            .send(Message::text(text))
            .with_context(|| "Could not write to a WebSocket".to_owned())
    }

    /// The next text or close frame; tungstenite answers pings.
    pub(super) fn receive(&mut self) -> Outcome<Received> {
        loop {
            match self.socket.read().with_context(|| "A WebSocket broke".to_owned())? {
                Message::Text(text) => return Ok(Received::Text(text)),
                Message::Close(frame) => {
                    return Ok(Received::Close(frame.map(|frame| frame.code.into())));
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use tungstenite::handshake::server::{Request, Response};
    use tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};

    use super::*;

    /// Accepts one socket, checks its cookie, sets another one if asked to, and closes with 1012.
    fn serve(listener: &TcpListener, expected: Option<&str>, set_cookie: Option<&str>) {
        let (stream, _) = listener.accept().unwrap();
        #[expect(clippy::result_large_err, reason = "tungstenite prescribes the type")]
        let on_request = |request: &Request, mut response: Response| {
            assert_eq!(request.uri().path(), "/socket");
            let cookie = request.headers().get(header::COOKIE);
            assert_eq!(cookie.map(|cookie| cookie.to_str().unwrap()), expected);
            if let Some(cookie) = set_cookie {
                response.headers_mut().insert(header::SET_COOKIE, cookie.parse().unwrap());
            }
            Ok(response)
        };
        let mut socket = tungstenite::accept_hdr(stream, on_request).unwrap();
        let hello = socket.read().unwrap();
        socket.send(Message::Ping("ping".into())).unwrap();
        socket.send(hello).unwrap();
        let restart = CloseFrame { code: CloseCode::Restart, reason: "".into() };
        socket.close(Some(restart)).unwrap();
        assert_eq!(socket.read().unwrap(), Message::Pong("ping".into()));
    }

    #[test]
    fn sockets_keep_their_cookie_and_receive_texts_and_close_codes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = thread::spawn(move || {
            serve(&listener, None, Some("person=1; HttpOnly"));
            serve(&listener, Some("person=1"), None);
        });
        let mut cookie = None;
        for _ in 0..2 {
            let mut socket = WebSocket::open(&address, "/socket", cookie.as_deref()).unwrap();
            assert_eq!(socket.cookie(), "person=1");
            socket.send("hello").unwrap();
            assert_eq!(socket.receive(), Ok(Received::Text("hello".into())));
            assert_eq!(socket.receive(), Ok(Received::Close(Some(1012))));
            cookie = Some(socket.cookie().to_owned());
        }
        server.join().unwrap();
    }
}
