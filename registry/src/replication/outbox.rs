//! This server's commands on their way to the journal of a room.
//!
//! One batch is under way at a time. Whatever is submitted meanwhile goes with the next one, so that a command
//! alone goes at once and hundreds in a storm go as one. A batch is sent again under its own number, and a
//! number counts once: so nothing gets lost and nothing counts twice, whichever answers are lost.

use std::collections::VecDeque;

use crate::presence::{
    command::{Command, Outcome},
    entry::{Batch, Ignored, ServerJoined},
    server_id::ServerId,
};

/// The most commands in a batch.
pub const MOST_COMMANDS: usize = 500;

/// This server's commands on their way to the journal of a room. `R` is who waits for the outcome of each.
#[derive(Debug)]
pub struct Outbox<R> {
    server: ServerId,
    waiting: VecDeque<(Command, R)>,
    under_way: Option<UnderWay<R>>,
    /// The server's own end is the last command of all.
    is_closed: bool,
}

#[derive(Debug)]
struct UnderWay<R> {
    batch: Batch,
    /// One for each command.
    replies: Vec<R>,
}

/// What an entry of the journal means to the outbox.
#[derive(Debug)]
pub enum Confirmed<R> {
    /// The batch under way was applied: what came of each command, and who waits for it.
    Applied(Vec<(R, Outcome)>),
    /// The room no longer counts this server: it has to go on under another id.
    Fenced,
    /// A copy of an earlier batch.
    Known,
    /// A batch of another server.
    Foreign,
}

impl<R> Outbox<R> {
    /// An outbox of a server, in this life.
    pub fn new(server: ServerId) -> Self {
        Self { server, waiting: VecDeque::new(), under_way: None, is_closed: false }
    }

    /// Hands in a command. Returns who waits for it if the outbox is closed.
    pub fn push(&mut self, command: Command, reply: R) -> Result<(), R> {
        if self.is_closed {
            return Err(reply);
        }
        self.waiting.push_back((command, reply));
        Ok(())
    }

    /// Hands in the last command.
    pub fn close(&mut self, last: Command, reply: R) -> Result<(), R> {
        let pushed = self.push(last, reply);
        self.is_closed = true;
        pushed
    }

    /// The next batch to append; `None` if nothing waits, or one is under way. `number` counts the batches of
    /// this server over all rooms. With `joined` the server joins the room.
    pub fn next_batch(
        &mut self,
        number: impl FnOnce() -> u64,
        joined: impl FnOnce() -> Option<ServerJoined>,
    ) -> Option<&Batch> {
        if self.under_way.is_some() || self.waiting.is_empty() {
            return None;
        }
        let commands = self.waiting.len().min(MOST_COMMANDS);
        let (commands, replies) = self.waiting.drain(..commands).unzip();
        let batch = Batch { server: self.server, number: number(), joined: joined(), commands };
        Some(&self.under_way.insert(UnderWay { batch, replies }).batch)
    }

    /// Whether nothing waits, and no batch is under way.
    pub fn is_empty(&self) -> bool {
        self.under_way.is_none() && self.waiting.is_empty()
    }

    /// The batch whose fate is not known, to be appended again over another link, after the room was opened
    /// over it and its entries were applied.
    pub fn unconfirmed(&self) -> Option<&Batch> {
        self.under_way.as_ref().map(|under_way| &under_way.batch)
    }

    /// The same, to be appended to a journal in which the server is not, if `joined` says so.
    pub fn repeat(&mut self, joined: Option<ServerJoined>) -> Option<&Batch> {
        let UnderWay { batch, .. } = self.under_way.as_mut()?;
        batch.joined = joined.or(batch.joined);
        Some(batch)
    }

    /// The batch of this number was not appended, and shall not be. Returns whether it was under way.
    pub fn withdraw(&mut self, number: u64) -> bool {
        self.under_way.take_if(|under_way| under_way.batch.number == number).is_some()
    }

    /// The room is known only as it was after this batch of the server: what came of the commands until then is
    /// not known. Returns who waits for it.
    pub fn settle(&mut self, last_batch: Option<u64>) -> Vec<R> {
        let is_settled = |under_way: &mut UnderWay<R>| {
            last_batch.is_some_and(|last| under_way.batch.number <= last)
        };
        let settled = self.under_way.take_if(is_settled).map(|under_way| under_way.replies);
        settled.unwrap_or_default()
    }

    /// The batch of this number of a server was applied to the room, or ignored by it.
    pub fn confirm(
        &mut self,
        server: ServerId,
        number: u64,
        applied: Result<Vec<Outcome>, Ignored>,
    ) -> Confirmed<R> {
        match applied {
            // A former life of this server is another server.
            _ if server != self.server => Confirmed::Foreign,
            Err(Ignored::NotJoined) => Confirmed::Fenced,
            Err(Ignored::Duplicate) => Confirmed::Known,
            Ok(outcomes) => {
                let is_own = |under_way: &mut UnderWay<R>| under_way.batch.number == number;
                let replies = self.under_way.take_if(is_own).map(|under_way| under_way.replies);
                Confirmed::Applied(replies.into_iter().flatten().zip(outcomes).collect())
            }
        }
    }

    /// Ends this life: what was not confirmed, in order. The batch under way may still be appended, and does
    /// not count then.
    pub fn begin_incarnation(&mut self, server: ServerId) -> Vec<(Command, R)> {
        self.server = server;
        let under_way = self.under_way.take().into_iter();
        let under_way = under_way
            .flat_map(|UnderWay { batch, replies }| batch.commands.into_iter().zip(replies));
        under_way.chain(self.waiting.drain(..)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use app::presence::{Epoch, Name, UserId};
    use proptest::prelude::*;

    use super::*;
    use crate::presence::{
        entry::{Entry, Position},
        join::{Join, JoinKind},
        members::Moment,
        room::{Now, Room, RoomLimits},
        servers::ServerExit,
        tab_key::ConnectionId,
    };

    const LIMITS: RoomLimits =
        RoomLimits { most_people: 9, most_connections_per_person: 9, keep_attendance: None };

    const JOINED: ServerJoined = ServerJoined { limits: LIMITS, rules: 1, pause: None };

    fn server(number: u32) -> ServerId {
        ServerId::try_from(number).unwrap()
    }

    fn person() -> UserId {
        UserId::from_leading_bits(1)
    }

    fn renamed(number: u32) -> Command {
        let name = Name::parse(&format!("Name {number}")).unwrap();
        Command::Renamed { user_id: person(), name }
    }

    /// What happens to a batch or an answer.
    #[derive(Clone, Copy, Debug)]
    enum Event {
        /// A command is submitted.
        Submit,
        /// A batch is sent. It is appended, also several times, or lost; the answer does not matter.
        Send { copies: u8 },
        /// The link is replaced, and the batch under way is sent again.
        Relink { copies: u8 },
        /// An entry arrives.
        Receive,
    }

    fn any_event() -> impl Strategy<Value = Event> {
        prop_oneof![
            4 => Just(Event::Submit),
            3 => (0..3_u8).prop_map(|copies| Event::Send { copies }),
            2 => (0..3_u8).prop_map(|copies| Event::Relink { copies }),
            4 => Just(Event::Receive),
        ]
    }

    /// A journal, and how far the server has read it.
    struct World {
        room: Room,
        outbox: Outbox<u32>,
        number: u64,
        journal: Vec<Batch>,
        received: usize,
        submitted: u32,
        replies: Vec<u32>,
    }

    impl World {
        fn new() -> Self {
            let now = Now { moment: Moment::ZERO, unix_seconds: 0 };
            let mut room = Room::new(LIMITS, Epoch::from_number(1), now);
            let connection = ConnectionId::on_server(server(2), 1);
            let name = Name::parse("Name").unwrap();
            let join = Join { name, tab: None, connection, is_visible: true };
            let announced = Command::Announced { user_id: person(), join, kind: JoinKind::Opening };
            room.apply(announced, now);
            Self {
                room,
                outbox: Outbox::new(server(1)),
                number: 0,
                journal: Vec::new(),
                received: 0,
                submitted: 0,
                replies: Vec::new(),
            }
        }

        fn run(&mut self, event: Event) {
            match event {
                Event::Submit => {
                    self.submitted += 1;
                    self.outbox.push(renamed(self.submitted), self.submitted).unwrap();
                }
                Event::Send { copies } => {
                    let is_in_room = self.room.servers().contains(server(1));
                    let joined = || (!is_in_room).then_some(JOINED);
                    let batch = self
                        .outbox
                        .next_batch(
                            || {
                                self.number += 1;
                                self.number
                            },
                            joined,
                        )
                        .cloned();
                    self.append(batch.as_ref(), copies);
                }
                Event::Relink { copies } => {
                    // The room is opened first: everything that is in the journal is applied.
                    while self.received < self.journal.len() {
                        self.receive();
                    }
                    let batch = self.outbox.unconfirmed().cloned();
                    self.append(batch.as_ref(), copies);
                }
                Event::Receive => self.receive(),
            }
        }

        fn append(&mut self, batch: Option<&Batch>, copies: u8) {
            for _ in 0..copies {
                self.journal.extend(batch.cloned());
            }
        }

        fn receive(&mut self) {
            let Some(batch) = self.journal.get(self.received).cloned() else { return };
            self.received += 1;
            let (of, number) = (batch.server, batch.number);
            let position = Position { number: 1, nonce: 7 };
            let entry = Entry { position, moment: Duration::ZERO, batch };
            match self.outbox.confirm(of, number, self.room.apply_entry(entry)) {
                Confirmed::Applied(replies) => {
                    for (reply, outcome) in replies {
                        assert_eq!(outcome, Outcome::Done);
                        self.replies.push(reply);
                    }
                }
                Confirmed::Known => {}
                other => panic!("the server is in the room: {other:?}"),
            }
        }
    }

    proptest! {
        #[test]
        fn every_command_counts_exactly_once_and_in_order_whatever_is_lost(
            events in prop::collection::vec(any_event(), 0..80),
        ) {
            let mut world = World::new();
            for event in events {
                world.run(event);
            }
            // In the end everything arrives.
            while world.replies.len() < usize::try_from(world.submitted).unwrap() {
                world.run(Event::Relink { copies: 1 });
                world.run(Event::Receive);
                world.run(Event::Send { copies: 1 });
            }
            prop_assert!(world.replies.iter().copied().eq(1..=world.submitted));
            // One change for each rename, besides the join.
            prop_assert_eq!(world.room.log().seq(), 1 + u64::from(world.submitted));
        }
    }

    #[test]
    fn batch_has_a_bounded_number_of_commands() {
        let mut outbox = Outbox::new(server(1));
        for number in 0..=u32::try_from(MOST_COMMANDS).unwrap() {
            outbox.push(renamed(number), number).unwrap();
        }
        let joined = Some(JOINED);
        let batch = outbox.next_batch(|| 1, || joined).unwrap();
        assert_eq!((batch.number, batch.commands.len(), batch.joined), (1, MOST_COMMANDS, joined));
        assert!(outbox.next_batch(|| 2, || None).is_none(), "one is under way");
        let outcomes = Ok(vec![Outcome::Done; MOST_COMMANDS]);
        let Confirmed::Applied(replies) = outbox.confirm(server(1), 1, outcomes) else {
            panic!("applied")
        };
        assert_eq!(replies.len(), MOST_COMMANDS);
        let batch = outbox.next_batch(|| 2, || None).unwrap();
        assert_eq!((batch.number, batch.commands.len()), (2, 1));
    }

    #[test]
    fn nothing_is_taken_after_the_own_end() {
        let mut outbox = Outbox::new(server(1));
        outbox.push(renamed(1), 1).unwrap();
        let (exit, ago) = (ServerExit::Clean, None);
        let own_end = Command::ServerLeft { server: server(1), ago, exit };
        outbox.close(own_end, 2).unwrap();
        assert_eq!(outbox.push(renamed(2), 3), Err(3));
        let batch = outbox.next_batch(|| 1, || None).unwrap();
        assert!(matches!(
            batch.commands[..],
            [Command::Renamed { .. }, Command::ServerLeft { .. }]
        ));
    }

    #[test]
    fn fenced_server_gets_back_what_was_not_confirmed() {
        let mut outbox = Outbox::new(server(1));
        outbox.push(renamed(1), 1).unwrap();
        outbox.next_batch(|| 1, || None).unwrap();
        outbox.push(renamed(2), 2).unwrap();
        let fenced =
            |outbox: &mut Outbox<i32>| outbox.confirm(server(1), 1, Err(Ignored::NotJoined));
        assert!(matches!(fenced(&mut outbox), Confirmed::Fenced));
        let rest = outbox.begin_incarnation(server(3));
        assert!(rest.iter().map(|(_, reply)| *reply).eq([1, 2]));
        outbox.push(renamed(1), 1).unwrap();
        let batch = outbox.next_batch(|| 2, || Some(JOINED)).unwrap();
        assert_eq!((batch.server, batch.number), (server(3), 2));
        // A late copy of the old batch says nothing of the new life.
        assert!(matches!(fenced(&mut outbox), Confirmed::Foreign));
    }
}
