//! Tokens of another application: who gets into which rooms, and as whom.

mod entering;
mod room_policy;
mod socketio;
mod sockets;

use std::{
    path::Path,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::hmac;
use serde_json::{Value, json};
use server::websocket::connection::ConnectionConfig;
use tempfile::TempDir;

use crate::support::{TestServer, write_secret};

/// The secret of the application.
const SECRET: &str = "f2a8d0b7139c5e64a1f08b3c7d92e6540b1c9a37";

/// The name of whoever is in a room that is not for everybody.
const NAME: &str = "Zoraya Quillfeather";

/// Rooms for holders of tokens, a room of theirs that everybody may watch, and rooms for nobody.
const ROOMS: &str = "
[[rooms]]
match = \"team-*\"
watch = \"token\"
[[rooms]]
match = \"stage\"
join = \"token\"
[[rooms]]
match = \"old-*\"
watch = \"closed\"
";

/// A server that knows the application's secret, and its directory.
struct Server {
    server: TestServer,
    _secret: Arc<TempDir>,
}

impl std::ops::Deref for Server {
    type Target = TestServer;

    fn deref(&self) -> &TestServer {
        &self.server
    }
}

impl Server {
    fn start() -> Self {
        Self::start_with("")
    }

    /// With lines for the settings' `[presence]` table.
    fn start_with(presence: &str) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let settings = settings(directory.path());
        let settings = format!("{presence}\n{settings}");
        let server = TestServer::start_with(&settings, ConnectionConfig::default());
        Self { server, _secret: directory }
    }
}

/// The tables with the key, whose file is in this directory, and with the rooms.
fn settings(directory: &Path) -> String {
    let file = directory.join("token.secret");
    write_secret(&file, SECRET);
    let file = file.to_string_lossy();
    format!("[[token-keys]]\nkid = \"app-1\"\nalgorithm = \"HS256\"\nfile = {file:?}\n{ROOMS}")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A token of the application with these claims, for an hour unless they say otherwise.
fn token(claims: Value) -> String {
    signed(claims, SECRET)
}

fn signed(claims: Value, secret: &str) -> String {
    let mut all = json!({ "sub": "user-7", "exp": now() + 3_600 });
    let fields = all.as_object_mut().unwrap();
    let Value::Object(claims) = claims else { panic!("claims are an object") };
    fields.extend(claims);
    let header = json!({ "alg": "HS256", "kid": "app-1" });
    let parts = [header, all].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = parts.join(".");
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, message.as_bytes()));
    format!("{message}.{signature}")
}

/// A header line with a token.
fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// A first frame that joins, with a token.
fn join_frame(name: &str, token: &str) -> String {
    json!({ "event": "got_a_new_user", "name": name, "tab": "t1", "token": token }).to_string()
}

fn watch_frame(token: &str) -> String {
    json!({ "event": "watch", "token": token }).to_string()
}

fn status(answer: &str) -> &str {
    answer.strip_prefix("HTTP/1.1 ").unwrap().get(..3).unwrap()
}
