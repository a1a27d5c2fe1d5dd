//! The list of the JSON API.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use app::presence::User;
use serde::Deserialize;

/// The time limit of the response.
const TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Deserialize)]
struct Body {
    users: Vec<User>,
}

/// Requests the list of a room.
pub fn fetch(address: SocketAddr, room: &str) -> Result<Vec<User>, String> {
    let answer = get(address, room).map_err(|error| format!("the server's list: {error}"))?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.map_or(answer.len(), |end| end + 4));
    if head.get(8..12).is_none_or(|status| status != b" 200") {
        return Err(format!("the request for the list failed: {}", String::from_utf8_lossy(head)));
    }
    let body: Body =
        serde_json::from_slice(body).map_err(|error| format!("the server's list: {error}"))?;
    Ok(body.users)
}

fn get(address: SocketAddr, room: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    // With HTTP/1.0 the body is not chunked, and the connection ends after it.
    let request = format!("GET /api/rooms/{room}/users HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}
