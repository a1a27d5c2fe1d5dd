//! Frames with the list after each of them, for replicas in other languages: client/test/recorded-frames.jsonl.
//!
//! Most frames are what a server sends; the others are lost, repeated or wrong, so that gaps are recorded as well.

use std::{fmt::Write as _, path::Path};

use serde_json::{Value, json};

use super::{Replica, read_frame};
use crate::presence::{
    Beat, Changes, DepartureReason, Difference, ExistingUsers, MoreUsers, Name, PresenceState,
    Refusal, RefusalCode, Renamed, Resumed, Roster, ServerEvent, Since, User, UserId, fnv1a,
};

const STEPS: usize = 10_000;
const MOST_ROWS: usize = 7;

const NAMES: [&str; 9] = ["Ana", "Bo", "Bo", "Chloé", "李小龍", "مريم", "👩🏽‍🚀 Mae", "<b>\"\\", "Zoë"];
const LOOKS: [&str; 2] = ["Arna", "B0"];
const REASONS: [DepartureReason; 4] = [
    DepartureReason::Left,
    DepartureReason::Closed,
    DepartureReason::Lost,
    DepartureReason::Removed,
];
const STATES: [PresenceState; 3] =
    [PresenceState::Here, PresenceState::Away, PresenceState::Reconnecting];

/// `UPDATE_REFERENCE=1 cargo test -p app recorded_frames` writes the file anew.
#[test]
fn frames_and_lists_are_as_recorded() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../client/test/recorded-frames.jsonl");
    let computed = Recorder::default().record();
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(path, computed).unwrap();
        return;
    }
    let recorded = std::fs::read_to_string(path).unwrap();
    let mut lines = recorded.lines().zip(computed.lines()).zip(1..);
    let different = lines.find(|((recorded, computed), _)| recorded != computed);
    assert_eq!(different, None);
    assert_eq!(recorded.len(), computed.len());
}

/// A server's list, and a client that follows it.
#[derive(Default)]
struct Recorder {
    roster: Roster,
    epoch: u64,
    seq: u64,
    clock: u64,
    replica: Replica,
    random: Random,
    steps: usize,
    lines: String,
}

impl Recorder {
    fn record(mut self) -> String {
        self.send_list();
        while self.steps < STEPS {
            match self.random.below(40) {
                0 => self.new_epoch(),
                1..=3 => self.send_list(),
                4..=6 => self.reconnect(),
                // These are never sent, so that the next ones leave a gap.
                7 => drop(self.change()),
                8 => self.send_mismatch(),
                9 => self.send_wrong_beat(),
                10..=13 => self.send_beat(),
                14 => self.send_other(),
                _ => {
                    let (from, difference) = self.change();
                    self.send_difference(from, difference, false);
                }
            }
            // A client that asked for a list gets it soon.
            if !self.replica.is_synced() && self.random.below(3) == 0 {
                self.send_list();
            }
        }
        self.lines
    }

    /// Changes the list, and returns the position before it with the difference.
    fn change(&mut self) -> (u64, Difference) {
        let mut difference = Difference::default();
        let mut rows: Vec<User> = self.roster.users().cloned().collect();
        for _ in 0..self.random.below(3) {
            if rows.len() < 2 {
                break;
            }
            let user = rows.remove(self.random.below(rows.len()));
            let reason = REASONS[self.random.below(REASONS.len())];
            difference.disconnect_user.group_mut(reason).push(user.id);
            // Some come back at once.
            if self.random.below(4) == 0 {
                difference.new_user.push(self.user(user.id));
            }
        }
        for user in &rows {
            if self.random.below(9) == 0 {
                let state = STATES[self.random.below(STATES.len())];
                difference.user_changed.state_mut(state).push(user.id);
            }
            if self.random.below(14) == 0 {
                let renamed = Renamed { id: user.id, name: self.name() };
                difference.user_changed.renamed.push(renamed);
            }
        }
        while rows.len() + difference.new_user.len() < MOST_ROWS && self.random.below(2) == 0 {
            let id = self.new_id();
            let is_new = difference.new_user.iter().all(|user| user.id != id);
            if is_new && !self.roster.contains(&id) {
                difference.new_user.push(self.user(id));
            }
        }
        self.roster.apply(&difference).unwrap();
        let from = self.seq;
        self.seq += 1 + u64::try_from(self.random.below(3)).unwrap();
        (from, difference)
    }

    fn send_difference(&mut self, from: u64, difference: Difference, is_answer: bool) {
        let mut pieces =
            if self.random.below(4) == 0 { split(difference) } else { vec![difference] };
        let last = pieces.pop().unwrap_or_default();
        for piece in pieces {
            self.send_piece(from, from, piece, is_answer);
        }
        self.send_piece(from, self.seq, last, is_answer);
    }

    fn send_piece(&mut self, from: u64, seq: u64, difference: Difference, is_answer: bool) {
        let Since { epoch, .. } = self.position();
        let you = Some(id(1));
        self.send(&if is_answer {
            ServerEvent::Resumed(Resumed { epoch, from, seq, you, now: 0, difference })
        } else {
            ServerEvent::Changes(Changes { from, seq, difference })
        });
    }

    fn send_list(&mut self) {
        let Since { epoch, seq } = self.position();
        let mut users: Vec<User> = self.roster.users().cloned().collect();
        let count = users.len();
        let length = if self.random.below(3) == 0 { self.random.below(count + 1) } else { count };
        let mut rest = users.split_off(length);
        let you = (self.random.below(3) > 0).then(|| id(1));
        let list = ExistingUsers { epoch, seq, you, now: 0, count, users };
        self.send(&ServerEvent::ExistingUsers(list));
        while !rest.is_empty() {
            let after = rest.split_off(1 + self.random.below(rest.len()));
            self.send(&ServerEvent::MoreUsers(MoreUsers { users: rest }));
            rest = after;
            // A socket may end, and a frame may come too soon, in between.
            match self.random.below(12) {
                0 => return self.end(),
                1 => self.send_beat(),
                _ => {}
            }
        }
    }

    /// The socket ends, some things happen, and the next one resumes.
    fn reconnect(&mut self) {
        self.end();
        let from = self.seq;
        let difference =
            if self.random.below(2) == 0 { self.change().1 } else { Difference::default() };
        match self.replica.position() {
            Some(position) if *position == (Since { seq: from, ..self.position() }) => {
                self.send_difference(from, difference, true);
            }
            // It names a position that this server can't go on from.
            Some(_) if self.random.below(5) == 0 => self.send_difference(from, difference, true),
            _ => self.send_list(),
        }
    }

    fn new_epoch(&mut self) {
        self.end();
        self.epoch += 1;
        self.seq = 0;
        if self.random.below(2) == 0 {
            self.send_difference(0, Difference::default(), true);
        }
        self.send_list();
    }

    fn send_beat(&mut self) {
        let beat = self.beat();
        self.send(&ServerEvent::Beat(beat));
    }

    fn send_wrong_beat(&mut self) {
        let mut beat = self.beat();
        match self.random.below(3) {
            0 => beat.seq += 1,
            1 => beat.count += 1,
            _ => beat.digest = Roster::default().digest().with(&self.user(id(40))),
        }
        self.send(&ServerEvent::Beat(beat));
    }

    fn beat(&self) -> Beat {
        let (count, digest) = (self.roster.len(), self.roster.digest());
        Beat { seq: self.seq, count, digest, now: 0, as_of: None }
    }

    /// Changes that do not fit the rows.
    fn send_mismatch(&mut self) {
        let mut difference = Difference::default();
        let present = self.roster.users().next().cloned();
        match (self.random.below(4), present) {
            (0, Some(user)) => difference.new_user = vec![self.user(user.id)],
            (1, Some(user)) => difference.disconnect_user.lost = vec![user.id, user.id],
            (2, _) => difference.user_changed.away = vec![id(40)],
            _ => difference.disconnect_user.left = vec![id(40)],
        }
        let (from, seq) = (self.seq, self.seq + 1);
        self.send(&ServerEvent::Changes(Changes { from, seq, difference }));
    }

    /// What changes no list.
    fn send_other(&mut self) {
        if self.random.below(2) == 0 {
            let frame = json!({ "event": "something_new", "seq": self.seq, "users": [] });
            return self.step(&frame);
        }
        self.send(&ServerEvent::Refused(Refusal {
            of: Some("rename".into()),
            code: RefusalCode::NameEmpty,
            message: "Type a name.".into(),
        }));
    }

    fn send(&mut self, event: &ServerEvent) {
        self.step(&serde_json::to_value(event).unwrap());
    }

    fn end(&mut self) {
        self.step(&Value::Null);
    }

    /// The client takes in a frame, or the end of its socket; a line says what it has then.
    fn step(&mut self, frame: &Value) {
        let follows = if frame.is_null() {
            self.replica.disconnected();
            true
        } else {
            self.replica.receive(read_frame(&frame.to_string()).unwrap()).is_ok()
        };
        let Self { replica, .. } = self;
        let position = replica.position().map(ToString::to_string);
        let (roster, you) = (replica.roster(), replica.you());
        let digest = roster.digest();
        // In a fixed order, without names: a line is half as long.
        let line = json!([
            frame,
            follows,
            position,
            replica.is_synced(),
            you,
            digest,
            hash_of_rows(roster)
        ]);
        writeln!(self.lines, "{line}").unwrap();
        self.steps += 1;
    }

    fn position(&self) -> Since {
        Since { epoch: format!("e{}", self.epoch).parse().unwrap(), seq: self.seq }
    }

    fn user(&mut self, id: UserId) -> User {
        self.clock += 1;
        let state = STATES[self.random.below(4) % STATES.len()];
        User { id, name: self.name(), joined: self.clock, state }
    }

    fn name(&mut self) -> Name {
        let name = Name::parse(NAMES[self.random.below(NAMES.len())]).unwrap();
        let look = LOOKS.get(self.random.below(6)).copied();
        name.with_skeleton(look)
    }

    fn new_id(&mut self) -> UserId {
        id(self.random.below(30))
    }
}

fn id(number: usize) -> UserId {
    format!("user-----{number:02}").parse().unwrap()
}

/// The parts of a difference, one field each; a frame without any may end them.
fn split(whole: Difference) -> Vec<Difference> {
    let Difference { disconnect_user, user_changed, new_user } = whole;
    let pieces = [
        Difference { disconnect_user, ..Difference::default() },
        Difference { user_changed, ..Difference::default() },
        Difference { new_user, ..Difference::default() },
    ];
    let mut pieces: Vec<_> = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
    if pieces.len() == 1 {
        pieces.push(Difference::default());
    }
    pieces
}

/// All rows with everything in them, in order.
fn hash_of_rows(roster: &Roster) -> String {
    let row = |User { id, name, joined, state }: &User| {
        let look = name.skeleton().unwrap_or_default();
        [id.as_str(), name.as_str(), &joined.to_string(), state.as_str(), look].join("\0")
    };
    let text = roster.users().map(row).collect::<Vec<_>>().join("\n");
    format!("{:016x}", fnv1a(text.bytes().map(u64::from)))
}

/// xorshift64 (Marsaglia 2003): the same numbers on every machine.
struct Random(u64);

impl Default for Random {
    fn default() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }
}

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 33) % u64::try_from(bound).unwrap()).unwrap()
    }
}
