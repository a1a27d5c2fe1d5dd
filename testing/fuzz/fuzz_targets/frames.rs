//! What a client sends over its sockets, one frame a line, before the eyes of somebody who follows the room.
//!
//! A line of one `~` breaks the socket off, and the same person comes back; before each line a second passes,
//! but for one that begins with `+`, which is stripped.

#![no_main]

use std::time::Duration;

use app::{presence::{DepartureReason, RoomName, ServerEvent, UserId}, client::Replica};
use libfuzzer_sys::fuzz_target;
use registry::{hub::{Hub, Membership}, encoding::frame::Batch, presence::room::RoomLimits};
use server::websocket::protocol::{ProtocolState, Action, Request};
use tokio::{
    runtime::{Builder, Runtime},
    time::sleep,
};

/// The most lines of one talk.
const MOST_LINES: usize = 60;

/// What the protocol gives a socket at once, and then in a second.
const BURST: u64 = 40;
const EACH_SECOND: u64 = 5;

/// A socket, its side of the talk, and the list that it brought.
struct Client {
    membership: Membership,
    conversation: ProtocolState,
    replica: Replica,
    /// How long the socket has been open, in seconds.
    age: u64,
    accepted: u64,
}

impl Client {
    fn new(membership: Membership) -> Self {
        let (conversation, replica) = (ProtocolState::default(), Replica::default());
        Self { membership, conversation, replica, age: 0, accepted: 0 }
    }

    /// Says one frame, as a connection would on its behalf; whether the socket stays open.
    fn say(&mut self, text: &str) -> bool {
        match self.conversation.hear(text, Duration::from_secs(self.age)) {
            Action::Request(request) => {
                self.accepted += 1;
                assert!(self.accepted <= BURST + EACH_SECOND * self.age, "it was too fast");
                self.ask(request);
                true
            }
            Action::Refuse(refusal) => {
                let known = [None, Some("watch"), Some("got_a_new_user"), Some("rename")];
                let known = known.into_iter().chain(["visible", "leave", "resync"].map(Some));
                let of = refusal.of.as_deref();
                assert!(known.into_iter().any(|event| event == of), "what was said is said back");
                let refused = serde_json::to_string(&ServerEvent::Refused(refusal));
                assert!(refused.expect("a refusal can be written").len() <= 4096);
                true
            }
            Action::Close(code) => {
                assert!([4400, 4429].contains(&code.number()), "{code:?} is not for a frame");
                false
            }
        }
    }

    fn ask(&mut self, request: Request) {
        let first = match request {
            Request::Watch { since } => self.membership.watch(since.as_ref()),
            Request::Announce(announcing) => self.membership.announce(announcing),
            Request::Rename { name } => {
                // Whether it is a name, and theirs to change, is the membership's to say.
                let _ = self.membership.rename(&name);
                return;
            }
            Request::SetVisible { is_visible } => return self.membership.set_visible(is_visible),
            Request::Leave => return self.membership.leave(),
            Request::Resync => return self.membership.resync(),
        };
        if first.is_ok() {
            self.conversation.accepted();
        }
    }

    /// Takes in all there is to know; nothing leaves a gap, and nothing is longer than it may be.
    fn hear(&mut self) {
        if !self.conversation.is_following() {
            return;
        }
        let news = std::iter::repeat_with(|| self.membership.poll_updates());
        for frame in news.take_while(|news: &Batch| !news.is_empty()).flatten() {
            assert!(frame.text().len() <= 4096, "a frame is too long");
            let event = serde_json::from_str(frame.text()).expect("it is a frame");
            // A `since` that was made up gives a list that was never there; a client of ours makes up none.
            let _ = self.replica.receive(event);
        }
    }
}

fn id(first: char) -> UserId {
    let id = format!("{first}0000000000").parse();
    id.expect("it is eleven characters")
}

fn runtime() -> Runtime {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("the system gives a runtime")
}

async fn talk(text: &str) {
    let room = RoomName::lobby();
    let hub = Hub::new(RoomLimits { most_people: 3, most_connections_per_person: 2 });
    let mut witness = Client::new(hub.enter(&room, id('w')));
    assert!(witness.say(r#"{"event":"watch"}"#));
    let mut speaker = Client::new(hub.enter(&room, id('s')));
    for line in text.lines().take(MOST_LINES) {
        let line = line.strip_prefix('+').unwrap_or_else(|| {
            speaker.age += 1;
            line
        });
        let stays = line != "~" && speaker.say(line);
        sleep(Duration::from_secs(1)).await;
        if !stays {
            speaker.membership.departs_as(DepartureReason::Closed);
            speaker = Client::new(hub.enter(&room, id('s')));
        }
        sleep(Duration::from_millis(100)).await;
        speaker.hear();
        witness.hear();
        let list = hub.snapshot(&room, None, usize::MAX);
        assert!(witness.replica.roster().users().eq(list.users.iter()), "a list is wrong");
        assert!(list.users.len() <= 1, "one person is one row");
    }
    drop(speaker);
    sleep(Duration::from_secs(20)).await;
    witness.hear();
    assert_eq!(witness.replica.roster().len(), 0, "a row stayed for ever");
}

fuzz_target!(|text: &str| {
    let runtime = runtime();
    runtime.block_on(talk(text));
});
