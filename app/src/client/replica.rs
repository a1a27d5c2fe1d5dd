//! A client's copy of a room's list, brought forward by the server's frames.

use crate::presence::{
    Beat, Changes, Difference, Epoch, ExistingUsers, Mismatch, MoreUsers, Resumed, Roster,
    ServerEvent, Since, User, UserId,
};

/// A client's copy of a room's list: a state machine over the frames of one room, without I/O.
///
/// The list outlives the socket: while there is none, it stays as it was.
#[derive(Clone, Debug, Default)]
pub struct Replica {
    roster: Roster,
    /// The rows that the server has and this list lacks: more than none only before the first frame,
    /// where the first HTML held the beginning of a long list.
    unloaded: usize,
    /// How many of those are away.
    unloaded_away: usize,
    position: Option<Since>,
    you: Option<UserId>,
    incoming: Incoming,
}

/// What is on its way: pieces count together, when the last has come.
#[derive(Clone, Debug, Default)]
enum Incoming {
    #[default]
    Nothing,
    /// A list, of which these rows have come.
    List { header: ListHeader, users: Vec<User> },
    /// A difference from where the list is, of which this much has come.
    Difference { so_far: Difference },
    /// The list was asked for; changes until then are ignored.
    Resync,
}

#[derive(Clone, Debug)]
struct ListHeader {
    position: Since,
    you: Option<UserId>,
    count: usize,
}

/// What a frame did to the list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "it lives for a moment; on 32 bits it is not large")]
pub enum Progress {
    /// The list is as it was.
    Unchanged,
    /// A whole list replaced it.
    Replaced,
    /// It was brought forward by this difference.
    Advanced(Difference),
}

/// A frame does not follow on what this client has: it should send `resync`, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// It starts at another point of the count, or comes in the middle of something else.
    OutOfOrder,
    /// It does not fit the rows.
    Mismatch(Mismatch),
    /// The count is right and the rows are not.
    WrongDigest,
}

impl From<Mismatch> for Gap {
    fn from(mismatch: Mismatch) -> Self {
        Self::Mismatch(mismatch)
    }
}

impl Replica {
    /// Takes in the next frame of the socket.
    ///
    /// On a [`Gap`] the list stays as it was; until a whole list comes, nothing else changes it.
    ///
    /// ```
    /// use app::client::{Gap, Progress, Replica, read_frame};
    ///
    /// let list = r#"{"event":"existing_users","epoch":"e1","seq":7,
    ///     "you":null,"now":0,"count":0,"users":[]}"#;
    /// let mut replica = Replica::default();
    /// assert_eq!(replica.receive(read_frame(list)?), Ok(Progress::Replaced));
    ///
    /// let join = r#"{"event":"changes","from":7,"seq":8,
    ///     "new_user":[{"id":"uZ3kQ0a1b2c","name":"Ana","joined":1795421000}]}"#;
    /// assert!(matches!(replica.receive(read_frame(join)?), Ok(Progress::Advanced(_))));
    /// assert_eq!(replica.count(), 1);
    ///
    /// // The same frame again does not continue the list: the client should send `resync`.
    /// assert_eq!(replica.receive(read_frame(join)?), Err(Gap::OutOfOrder));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn receive(&mut self, event: ServerEvent) -> Result<Progress, Gap> {
        let is_list = matches!(event, ServerEvent::ExistingUsers(_));
        if matches!(self.incoming, Incoming::Resync) && !is_list {
            return Ok(Progress::Unchanged);
        }
        let outcome = match event {
            ServerEvent::ExistingUsers(list) => self.start_list(list),
            ServerEvent::MoreUsers(more) => self.continue_list(more),
            ServerEvent::Resumed(resumed) => self.resume(resumed),
            ServerEvent::Changes(changes) => self.advance(changes),
            ServerEvent::Beat(beat) => self.compare(&beat),
            ServerEvent::Refused(_) | ServerEvent::Unknown => Ok(Progress::Unchanged),
        };
        if outcome.is_err() {
            self.incoming = Incoming::Resync;
        }
        outcome
    }

    /// A replica of the list that came with the page, which may be the beginning of a longer one.
    pub fn from_first_html(list: ExistingUsers) -> Result<Self, Mismatch> {
        Self::from_first_rows(list, 0)
    }

    /// The same of a list of which `away` people are away, in these rows or beyond them.
    pub fn from_first_rows(list: ExistingUsers, away: usize) -> Result<Self, Mismatch> {
        let unloaded = list.count.saturating_sub(list.users.len());
        let position = Since { epoch: list.epoch, seq: list.seq };
        let roster = Roster::from_users(list.users)?;
        Ok(Self {
            unloaded_away: away.saturating_sub(roster.away()),
            roster,
            unloaded,
            position: (unloaded == 0).then_some(position),
            you: list.you,
            incoming: Incoming::Nothing,
        })
    }

    /// The socket ended: what was on its way never came, what is here stays.
    pub fn disconnected(&mut self) {
        // A list that was found to be wrong is nothing to go on from.
        if matches!(std::mem::take(&mut self.incoming), Incoming::Resync) {
            self.position = None;
        }
    }

    /// Whether the list is whole, as far as this client can know, and nothing is on its way.
    pub fn is_synced(&self) -> bool {
        self.position.is_some() && matches!(self.incoming, Incoming::Nothing)
    }

    /// The rows.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// How many are listed, also where only the beginning of the list has come.
    pub fn count(&self) -> usize {
        self.roster.len() + self.unloaded
    }

    /// How many of them are away.
    pub fn away(&self) -> usize {
        self.roster.away() + self.unloaded_away
    }

    /// This person's own id in this room, listed or not.
    pub fn you(&self) -> Option<UserId> {
        self.you
    }

    /// This person's own row.
    pub fn own_row(&self) -> Option<&User> {
        self.roster.get(&self.you?)
    }

    /// Where the list is, once a whole one has come.
    pub fn position(&self) -> Option<&Since> {
        self.position.as_ref()
    }

    fn start_list(&mut self, list: ExistingUsers) -> Result<Progress, Gap> {
        // A whole list is right whatever came before it, and whatever was on its way.
        let position = Since { epoch: list.epoch, seq: list.seq };
        let header = ListHeader { position, you: list.you, count: list.count };
        self.take_list(header, list.users)
    }

    fn continue_list(&mut self, more: MoreUsers) -> Result<Progress, Gap> {
        match std::mem::take(&mut self.incoming) {
            Incoming::List { header, mut users } => {
                users.extend(more.users);
                self.take_list(header, users)
            }
            _ => Err(Gap::OutOfOrder),
        }
    }

    fn take_list(&mut self, header: ListHeader, users: Vec<User>) -> Result<Progress, Gap> {
        if users.len() < header.count {
            self.incoming = Incoming::List { header, users };
            return Ok(Progress::Unchanged);
        }
        if users.len() > header.count {
            return Err(Gap::OutOfOrder);
        }
        self.roster = Roster::from_users(users)?;
        self.unloaded = 0;
        self.unloaded_away = 0;
        self.position = Some(header.position);
        self.you = header.you;
        self.incoming = Incoming::Nothing;
        Ok(Progress::Replaced)
    }

    fn resume(&mut self, resumed: Resumed) -> Result<Progress, Gap> {
        if self.position.as_ref().is_some_and(|position| position.epoch != resumed.epoch) {
            return Err(Gap::OutOfOrder);
        }
        let you = resumed.you;
        let progress = self.apply_update(resumed.from, resumed.seq, resumed.difference)?;
        self.you = you;
        Ok(progress)
    }

    fn advance(&mut self, changes: Changes) -> Result<Progress, Gap> {
        self.apply_update(changes.from, changes.seq, changes.difference)
    }

    fn apply_update(&mut self, from: u64, seq: u64, piece: Difference) -> Result<Progress, Gap> {
        let Some(position) = &self.position else {
            return Err(Gap::OutOfOrder);
        };
        if position.seq != from || seq < from {
            return Err(Gap::OutOfOrder);
        }
        // Without a change the count does not move: what says something and moves nothing is a piece.
        let is_piece = seq == from && !piece.is_empty();
        let difference = match std::mem::take(&mut self.incoming) {
            Incoming::Nothing => piece,
            Incoming::Difference { mut so_far } => {
                so_far.append(piece);
                so_far
            }
            _ => return Err(Gap::OutOfOrder),
        };
        if is_piece {
            self.incoming = Incoming::Difference { so_far: difference };
            return Ok(Progress::Unchanged);
        }
        self.roster.apply(&difference)?;
        self.move_to(seq);
        Ok(if difference.is_empty() { Progress::Unchanged } else { Progress::Advanced(difference) })
    }

    fn move_to(&mut self, seq: u64) {
        if let Some(position) = &mut self.position {
            position.seq = seq;
        }
    }

    fn compare(&self, beat: &Beat) -> Result<Progress, Gap> {
        match (&self.incoming, &self.position) {
            (Incoming::Nothing, None) => Ok(Progress::Unchanged),
            (Incoming::Nothing, Some(position)) if position.seq == beat.seq => {
                if self.roster.digest() == beat.digest && self.roster.len() == beat.count {
                    Ok(Progress::Unchanged)
                } else {
                    Err(Gap::WrongDigest)
                }
            }
            _ => Err(Gap::OutOfOrder),
        }
    }

    /// The epoch of the list, once a whole one has come.
    pub fn epoch(&self) -> Option<&Epoch> {
        self.position.as_ref().map(|position| &position.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presence::{Name, PresenceState};

    fn user(number: u8) -> User {
        User {
            id: format!("user-----{number:02}").parse().unwrap(),
            name: Name::parse("Kim").unwrap(),
            joined: 0,
            state: PresenceState::Here,
        }
    }

    fn list(seq: u64, numbers: &[u8], count: usize) -> ExistingUsers {
        ExistingUsers {
            epoch: "e1".parse().unwrap(),
            seq,
            you: Some(user(9).id),
            now: 0,
            count,
            users: numbers.iter().copied().map(user).collect(),
        }
    }

    fn existing(seq: u64, numbers: &[u8]) -> ServerEvent {
        ServerEvent::ExistingUsers(list(seq, numbers, numbers.len()))
    }

    fn arrivals(from: u64, seq: u64, numbers: &[u8]) -> ServerEvent {
        let new_user = numbers.iter().copied().map(user).collect();
        let difference = Difference { new_user, ..Difference::default() };
        ServerEvent::Changes(Changes { from, seq, difference })
    }

    fn beat(seq: u64, roster: &Roster) -> ServerEvent {
        ServerEvent::Beat(Beat {
            seq,
            count: roster.len(),
            digest: roster.digest(),
            now: 0,
            as_of: None,
        })
    }

    fn started(seq: u64, numbers: &[u8]) -> Replica {
        let mut replica = Replica::default();
        assert_eq!(replica.receive(existing(seq, numbers)), Ok(Progress::Replaced));
        replica
    }

    fn numbers(replica: &Replica) -> Vec<String> {
        replica.roster().users().map(|user| user.id.as_str()[9..].to_owned()).collect()
    }

    #[test]
    fn a_list_in_pieces_counts_when_it_is_whole() {
        let mut replica = started(1, &[7]);
        let first = ServerEvent::ExistingUsers(list(4, &[1, 2], 3));
        assert_eq!(replica.receive(first), Ok(Progress::Unchanged));
        assert_eq!(numbers(&replica), ["07"]);
        let rest = ServerEvent::MoreUsers(MoreUsers { users: vec![user(3)] });
        assert_eq!(replica.receive(rest), Ok(Progress::Replaced));
        assert_eq!(numbers(&replica), ["01", "02", "03"]);
        assert_eq!(replica.position().unwrap().seq, 4);
    }

    #[test]
    fn a_list_longer_than_it_says_is_a_gap() {
        let mut replica = started(1, &[7]);
        let too_long = ServerEvent::ExistingUsers(list(4, &[1, 2, 3], 2));
        assert_eq!(replica.clone().receive(too_long), Err(Gap::OutOfOrder));
        replica.receive(ServerEvent::ExistingUsers(list(4, &[1], 2))).unwrap();
        let too_much = ServerEvent::MoreUsers(MoreUsers { users: vec![user(2), user(3)] });
        assert_eq!(replica.receive(too_much), Err(Gap::OutOfOrder));
        assert_eq!(numbers(&replica), ["07"]);
    }

    #[test]
    fn a_difference_in_pieces_counts_when_the_last_has_come() {
        let mut replica = started(5, &[1]);
        assert_eq!(replica.receive(arrivals(5, 5, &[2])), Ok(Progress::Unchanged));
        assert_eq!(numbers(&replica), ["01"]);
        let Ok(Progress::Advanced(whole)) = replica.receive(arrivals(5, 7, &[3])) else {
            panic!("the difference is whole")
        };
        assert_eq!(whole.new_user, [user(2), user(3)]);
        assert_eq!(numbers(&replica), ["01", "02", "03"]);
    }

    #[test]
    fn pieces_of_a_socket_that_ended_never_came() {
        let mut replica = started(5, &[1]);
        replica.receive(arrivals(5, 5, &[2])).unwrap();
        replica.disconnected();
        replica.receive(arrivals(5, 6, &[3])).unwrap();
        assert_eq!(numbers(&replica), ["01", "03"]);
    }

    #[test]
    fn an_empty_difference_only_moves_the_count() {
        let mut replica = started(5, &[1]);
        assert_eq!(replica.receive(arrivals(5, 9, &[])), Ok(Progress::Unchanged));
        assert_eq!(replica.position().unwrap().seq, 9);
    }

    #[test]
    fn after_a_gap_only_a_list_helps() {
        let mut replica = started(5, &[1]);
        assert_eq!(replica.receive(arrivals(6, 7, &[2])), Err(Gap::OutOfOrder));
        assert_eq!(replica.receive(arrivals(5, 6, &[2])), Ok(Progress::Unchanged));
        assert_eq!(replica.receive(beat(9, &Roster::default())), Ok(Progress::Unchanged));
        // Nothing is asked for twice.
        let more = ServerEvent::MoreUsers(MoreUsers { users: vec![user(3)] });
        assert_eq!(replica.receive(more), Ok(Progress::Unchanged));
        assert_eq!(numbers(&replica), ["01"]);
        assert_eq!(replica.receive(existing(8, &[2])), Ok(Progress::Replaced));
        assert_eq!(numbers(&replica), ["02"]);
    }

    #[test]
    fn a_list_that_was_wrong_is_nothing_to_go_on_from() {
        let mut replica = started(5, &[1]);
        assert!(replica.is_synced());
        replica.receive(arrivals(6, 7, &[2])).unwrap_err();
        assert!(!replica.is_synced());
        replica.disconnected();
        assert_eq!((replica.position(), replica.count()), (None, 1));
        assert!(!replica.is_synced());
        replica.receive(existing(8, &[2])).unwrap();
        assert!(replica.is_synced());
        // What only was on its way harms nothing.
        replica.receive(arrivals(8, 8, &[3])).unwrap();
        assert!(!replica.is_synced());
        replica.disconnected();
        assert_eq!(replica.position().unwrap().seq, 8);
    }

    #[test]
    fn changes_that_do_not_fit_the_rows_are_a_gap() {
        let mut replica = started(5, &[1]);
        let gap = replica.receive(arrivals(5, 6, &[1]));
        assert_eq!(gap, Err(Gap::Mismatch(Mismatch::Present(user(1).id))));
    }

    #[test]
    fn nothing_else_comes_in_between_pieces() {
        let mut replica = started(5, &[1]);
        replica.receive(arrivals(5, 5, &[2])).unwrap();
        let same = replica.roster().clone();
        assert_eq!(replica.receive(beat(5, &same)), Err(Gap::OutOfOrder));

        let mut replica = started(5, &[1]);
        replica.receive(ServerEvent::ExistingUsers(list(6, &[1], 2))).unwrap();
        assert_eq!(replica.receive(arrivals(5, 6, &[2])), Err(Gap::OutOfOrder));

        let mut replica = started(5, &[1]);
        let stray = ServerEvent::MoreUsers(MoreUsers { users: vec![user(3)] });
        assert_eq!(replica.receive(stray), Err(Gap::OutOfOrder));
    }

    #[test]
    fn a_beat_proves_the_rows_or_finds_the_fault() {
        let mut replica = started(5, &[1, 2]);
        let same = replica.roster().clone();
        assert_eq!(replica.receive(beat(5, &same)), Ok(Progress::Unchanged));
        let other = Roster::from_users([user(1), user(3)]).unwrap();
        assert_eq!(replica.clone().receive(beat(5, &other)), Err(Gap::WrongDigest));
        assert_eq!(replica.receive(beat(6, &same)), Err(Gap::OutOfOrder));
        // Where there is no list yet, there is nothing to prove.
        let mut beginning = Replica::from_first_html(list(5, &[1], 2)).unwrap();
        assert_eq!(beginning.receive(beat(9, &same)), Ok(Progress::Unchanged));
    }

    #[test]
    fn resumed_says_who_one_is_and_what_was_missing() {
        let mut replica = started(5, &[1]);
        let difference = Difference { new_user: vec![user(4)], ..Difference::default() };
        let resumed = Resumed {
            epoch: "e1".parse().unwrap(),
            from: 5,
            seq: 6,
            you: Some(user(4).id),
            now: 0,
            difference,
        };
        let foreign = Resumed { epoch: "e2".parse().unwrap(), ..resumed.clone() };
        assert_eq!(replica.clone().receive(ServerEvent::Resumed(foreign)), Err(Gap::OutOfOrder));
        assert!(matches!(
            replica.receive(ServerEvent::Resumed(resumed)),
            Ok(Progress::Advanced(_))
        ));
        assert_eq!((replica.you(), replica.own_row()), (Some(user(4).id), Some(&user(4))));
    }

    #[test]
    fn the_first_html_may_hold_the_beginning_of_a_long_list() {
        let replica = Replica::from_first_html(list(5, &[1, 2], 300)).unwrap();
        assert_eq!((replica.count(), replica.roster().len()), (300, 2));
        let replica = Replica::from_first_rows(list(5, &[1, 2], 300), 7).unwrap();
        assert_eq!(replica.away(), 7);
        assert_eq!((replica.position(), replica.epoch()), (None, None));
        let replica = Replica::from_first_html(list(5, &[1, 2], 2)).unwrap();
        assert_eq!(replica.position().unwrap().seq, 5);
        assert_eq!(replica.epoch().unwrap().as_str(), "e1");
    }
}
