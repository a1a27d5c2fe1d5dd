//! Fuzzes the frames of a client, one per line, while another client watches the room.
//!
//! A line `~` breaks the connection, and the same person reconnects. A second passes before each line,
//! except for lines that start with `+`, which is removed.

#![no_main]

use std::time::Duration;

use app::{presence::{DepartureReason, RoomName, ServerEvent, UserId}, client::Replica};
use libfuzzer_sys::fuzz_target;
use registry::{hub::{Accepted, Hub, Membership}, encoding::frame::Batch, presence::room::RoomLimits};
use server::websocket::{budget::FrameLimits, protocol::{ProtocolState, Action, Request, TokenFrames}};
use tokio::{
    runtime::{Builder, Runtime},
    time::sleep,
};

/// Further lines are ignored.
const MAX_LINES: usize = 60;

/// The protocol's rate limit: frames at once, and frames per second after that.
const BURST: u64 = 40;
const PER_SECOND: u64 = 5;

/// A connection of a client, its protocol state, and its list.
struct Client {
    membership: Membership,
    conversation: ProtocolState,
    replica: Replica,
    /// The age of the connection, in seconds.
    age: u64,
    accepted: u64,
}

impl Client {
    fn new(membership: Membership) -> Self {
        let conversation = ProtocolState::new(FrameLimits::default(), TokenFrames::Known);
        let replica = Replica::default();
        Self { membership, conversation, replica, age: 0, accepted: 0 }
    }

    /// Handles a frame as a connection would. Returns whether the socket stays open.
    fn send(&mut self, text: &str) -> bool {
        match self.conversation.on_text(text, Duration::from_secs(self.age)) {
            Action::Request(request) => {
                self.accepted += 1;
                assert!(
                    self.accepted <= BURST + PER_SECOND * self.age,
                    "the rate limit was exceeded"
                );
                self.handle(request);
                true
            }
            Action::Refuse(refusal) => {
                let known = [None, Some("watch"), Some("got_a_new_user"), Some("rename")];
                let known = known.into_iter().chain(["visible", "leave", "resync", "token"].map(Some));
                let of = refusal.of.as_deref();
                assert!(
                    known.into_iter().any(|event| event == of),
                    "a refusal echoes unknown input"
                );
                let refused = serde_json::to_string(&ServerEvent::Refused(refusal));
                assert!(refused.expect("a refusal can be written").len() <= 4096);
                true
            }
            Action::Close(code) => {
                assert!(
                    [4400, 4429].contains(&code.number()),
                    "{code:?} is not a close code for frames"
                );
                false
            }
        }
    }

    fn handle(&mut self, request: Request) {
        let first = match request {
            Request::Watch { since } => self.membership.watch(since.as_ref()).map(|()| Accepted::Now),
            Request::Join(request) => self.membership.join(request),
            Request::Rename { name } => {
                // The membership decides whether the name is valid.
                let _ = self.membership.rename(&name);
                return;
            }
            Request::SetVisible { is_visible } => return self.membership.set_visible(is_visible),
            Request::Leave => return self.membership.leave(),
            Request::Resync => return self.membership.subscription_mut().resync(),
            // The room does not know of tokens.
            Request::RefreshToken { .. } => return,
        };
        if first.is_ok() {
            self.conversation.on_accepted();
        }
    }

    /// Receives all events. None may have a gap or be too long.
    fn receive_all(&mut self) {
        if !self.conversation.is_following() {
            return;
        }
        let news = std::iter::repeat_with(|| self.membership.subscription_mut().poll_updates());
        for frame in news.take_while(|news: &Batch| !news.is_empty()).flatten() {
            assert!(frame.text().len() <= 4096, "a frame is too long");
            let event = serde_json::from_str(frame.text()).expect("the frame is an event");
            // An invented `since` leads to a gap; real clients send none.
            let _ = self.replica.receive(event);
        }
    }
}

fn id(first: char) -> UserId {
    let id = format!("{first}0000000000").parse();
    id.expect("the id has eleven characters")
}

fn runtime() -> Runtime {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("the runtime can be built")
}

async fn run(text: &str) {
    let room = RoomName::lobby();
    let hub = Hub::new(RoomLimits { most_people: 3, most_connections_per_person: 2, keep_attendance: None });
    let mut watcher = Client::new(hub.enter(&room, id('w')));
    assert!(watcher.send(r#"{"event":"watch"}"#));
    let mut sender = Client::new(hub.enter(&room, id('s')));
    for line in text.lines().take(MAX_LINES) {
        let line = line.strip_prefix('+').unwrap_or_else(|| {
            sender.age += 1;
            line
        });
        let stays = line != "~" && sender.send(line);
        sleep(Duration::from_secs(1)).await;
        if !stays {
            sender.membership.departs_as(DepartureReason::Closed);
            sender = Client::new(hub.enter(&room, id('s')));
        }
        sleep(Duration::from_millis(100)).await;
        sender.receive_all();
        watcher.receive_all();
        let list = hub.snapshot(&room, None, usize::MAX);
        assert!(watcher.replica.roster().users().eq(list.users.iter()), "a list is wrong");
        assert!(list.users.len() <= 1, "one person has more than one row");
    }
    drop(sender);
    sleep(Duration::from_secs(20)).await;
    watcher.receive_all();
    assert_eq!(watcher.replica.roster().len(), 0, "a row was never removed");
}

fuzz_target!(|text: &str| {
    let runtime = runtime();
    runtime.block_on(run(text));
});
