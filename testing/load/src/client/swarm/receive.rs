//! How frames are received, and applied to the clients' lists.

use std::{
    io::{self, Read},
    time::{Duration, Instant},
};

use app::presence::ClientEvent;
use mio::Events;

use super::{
    Swarm,
    client::{Opening, Phase},
};
use crate::{
    client::{
        events::wait_for_events,
        handshake,
        normalise::strip_per_client_fields,
        websocket::{Frame, parse_frame},
    },
    error::LoadError,
    oracle::{lists::FrameKind, truth::ChangeKind},
};

/// The first bytes of a beat.
const BEAT: &[u8] = br#"{"event":"beat""#;

impl Swarm {
    /// Waits for events on the sockets, and handles them.
    pub fn poll_once(&mut self, timeout: Duration) -> Result<(), LoadError> {
        if !wait_for_events(&mut self.poll, &mut self.events, timeout)? {
            return Ok(());
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            let index = event.token().0;
            if event.is_writable() {
                self.on_writable(index);
            }
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                self.read(index, event.is_read_closed() || event.is_error());
            }
        }
        self.events = events;
        Ok(())
    }

    fn on_writable(&mut self, index: usize) {
        let client = &mut self.clients[index];
        match client.phase {
            Phase::Connecting => {
                let address = self.addresses[client.server];
                let request = handshake::request(address, &self.room, client.cookie.as_deref());
                client.phase = Phase::Upgrading;
                client.send(request.as_bytes());
            }
            _ => client.flush(),
        }
    }

    /// Reads a socket until it is empty, because mio's events are edge-triggered.
    fn read(&mut self, index: usize, may_have_ended: bool) {
        loop {
            let client = &mut self.clients[index];
            let Some(stream) = &mut client.stream else { return };
            let partial = client.partial.len();
            self.scratch[..partial].copy_from_slice(&client.partial);
            let read = match stream.read(&mut self.scratch[partial..]) {
                Ok(0) => return self.on_closed(index, "ended without a close frame"),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return self.on_closed(index, &error.to_string()),
            };
            let end = partial + read;
            let scratch = std::mem::take(&mut self.scratch);
            let taken = self.on_bytes(index, &scratch[..end]);
            self.scratch = scratch;
            let client = &mut self.clients[index];
            if taken < end {
                client.partial.clear();
                client.partial.extend_from_slice(&self.scratch[taken..end]);
            } else if partial > 0 {
                client.partial = Vec::new();
            }
            // The buffer was not filled, so the socket is empty, and more bytes cause another event.
            if end < self.scratch.len() && !may_have_ended {
                return;
            }
        }
    }

    /// Handles all complete frames, and returns how many bytes they are.
    fn on_bytes(&mut self, index: usize, bytes: &[u8]) -> usize {
        let mut taken = 0;
        let now = Instant::now();
        if self.clients[index].phase == Phase::Upgrading {
            match handshake::parse_response(bytes) {
                Ok(None) => return 0,
                Ok(Some(upgraded)) => {
                    taken = upgraded.length;
                    let client = &mut self.clients[index];
                    client.cookie = upgraded.cookie.or(client.cookie.take());
                    client.phase = Phase::Open;
                    self.pending_connects -= 1;
                    self.send_opening(index);
                }
                Err(error) => {
                    self.on_closed(index, &error.to_string());
                    return bytes.len();
                }
            }
        }
        loop {
            match parse_frame(&bytes[taken..]) {
                Ok(None) => return taken,
                Ok(Some((frame, length))) => {
                    taken += length;
                    self.on_frame(index, frame, length, now);
                }
                Err(error) => {
                    self.on_closed(index, &error.to_string());
                    return bytes.len();
                }
            }
        }
    }

    fn on_frame(&mut self, index: usize, frame: Frame<'_>, length: usize, now: Instant) {
        match frame {
            Frame::Text(text) => self.on_text(index, text, length, now),
            Frame::Ping(payload) => {
                let pong = self.writer.pong(payload);
                self.clients[index].send(&pong);
            }
            Frame::Pong => {}
            Frame::Close(code) => {
                let sentence =
                    code.map_or("closed".to_owned(), |code| format!("closed with {code}"));
                self.on_closed(index, &sentence);
            }
        }
    }

    fn on_text(&mut self, index: usize, text: &[u8], length: usize, now: Instant) {
        let Self { clients, lists, truth, traffic, violations, wait, longest_absence, .. } = self;
        let client = &mut clients[index];
        if client.phase == Phase::Open
            && let Some(since) = client.away_since.take()
        {
            *longest_absence = now.saturating_duration_since(since).max(*longest_absence);
        }
        let normalised = strip_per_client_fields(text);
        if let Some(you) = normalised.you
            && let Err(sentence) = truth.identify(client.who, you)
        {
            client.is_wrong = true;
            violations.add(|| format!("client {index}: {sentence}"));
        }
        // Only beats say how old a list is.
        if normalised.is_stale {
            client.is_stale = true;
            traffic.first_stale.get_or_insert(now);
        } else if client.is_stale && text.starts_with(BEAT) {
            client.is_stale = false;
            traffic.last_fresh = Some(now);
        }
        let transition = lists.advance(client.list, &normalised.bytes, truth, now);
        client.list = transition.to;
        let length = u64::try_from(length).unwrap_or_default();
        match transition.kind {
            FrameKind::Beat => traffic.beats += 1,
            FrameKind::List => {
                traffic.frames += 1;
                traffic.bytes += length;
                let names = u64::try_from(transition.name_bytes).unwrap_or_default();
                traffic.list_bytes += length - names;
                traffic.list_rows += u64::try_from(transition.list_rows).unwrap_or_default();
            }
            FrameKind::Resumed | FrameKind::Changes => {
                traffic.frames += 1;
                traffic.bytes += length;
                traffic.fact_bytes += length;
            }
            FrameKind::Other => {}
        }
        traffic.facts += u64::try_from(transition.facts.len()).unwrap_or_default();
        for change in &*transition.facts {
            match truth.kind(*change) {
                Some(ChangeKind::Joined) => traffic.joined += 1,
                Some(ChangeKind::Departed(_)) => traffic.departed += 1,
                Some(ChangeKind::Became(_)) => traffic.changed += 1,
                None => {}
            }
            if let Some(sent) = truth.sent(*change) {
                traffic.latency.record(now.saturating_duration_since(sent));
            }
        }
        if client
            .unseen_change
            .is_some_and(|unseen_change| transition.facts.contains(&unseen_change))
        {
            client.unseen_change = None;
        }
        let state = transition.to;
        if let Some(sentence) = lists.violation(state) {
            if !client.is_wrong {
                client.is_wrong = true;
                violations.add(|| format!("client {index}: {sentence}"));
            }
        } else if wait.reached < wait.expected
            && client.counted_in != wait.number
            && lists.is_right(state, truth)
        {
            client.counted_in = wait.number;
            wait.reached += 1;
            if wait.reached == wait.expected {
                wait.reached_at = Some(Instant::now());
            }
        }
    }

    fn send_opening(&mut self, index: usize) {
        match self.clients[index].opening {
            Opening::Silence => {}
            Opening::Watch => {
                let since = self.lists.position(self.clients[index].list).cloned();
                self.send(index, &ClientEvent::Watch { since });
            }
            Opening::Join => {
                self.join(index);
            }
            Opening::Rejoin => {
                let event = self.join_event(index);
                self.send(index, &event);
            }
        }
    }

    /// Closes the client's side of a socket. It is a violation unless this program closed it, or ends are
    /// expected.
    pub(super) fn on_closed(&mut self, index: usize, how: &str) {
        let servers = self.addresses.len();
        let client = &mut self.clients[index];
        if client.phase == Phase::Closed {
            return;
        }
        if client.phase != Phase::Closing && self.expects_ends {
            self.lost.push(index);
        } else if client.phase != Phase::Closing && !client.is_wrong {
            client.is_wrong = true;
            self.violations.add(|| format!("the socket of client {index}: {how}"));
        }
        self.pending_connects -= usize::from(client.is_connecting());
        client.stream = None;
        client.phase = Phase::Closed;
        client.server = (client.server + 1) % servers;
        client.is_stale = false;
        client.list = self.lists.after_disconnect(client.list);
    }
}
