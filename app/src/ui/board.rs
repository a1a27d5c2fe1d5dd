//! What the page shows, as signals.

use std::collections::HashMap;

use leptos::prelude::*;

use super::{connection::Connection, namesakes::Namesakes};
use crate::presence::{Name, Replica, User, UserId};

/// The state of the page. It draws a [`Replica`] and decides nothing by itself.
///
/// There are few signals, and each row has its own: what everyone sees changes often and in one
/// place, and what only this visitor sees changes so rarely that all of it may look up.
#[derive(Clone, Copy)]
pub(crate) struct Board {
    /// Who is here.
    pub(crate) people: RwSignal<People>,
    /// What only this visitor sees.
    pub(crate) desk: RwSignal<Desk>,
    /// The server's clock in milliseconds, as far as the rows need to know it: it stands still
    /// while the list does.
    pub(crate) now: RwSignal<u64>,
    /// The same clock to the second; it runs only while the connection is lost.
    pub(crate) moment: RwSignal<u64>,
    /// What the visitor asks for; scripts listen, once they run.
    pub(crate) command: RwSignal<Option<Command>>,
}

/// Who is here, but for what their rows show: that is in a signal for each row.
#[derive(Default)]
pub(crate) struct People {
    /// Whose rows are shown, in order.
    pub(crate) ids: Vec<UserId>,
    /// How many are here, shown or not.
    pub(crate) count: usize,
    /// This person's own id in the room.
    pub(crate) you: Option<UserId>,
    /// What this person is called, while they are listed.
    pub(crate) your_name: Option<Name>,
    rows: HashMap<UserId, ArcRwSignal<Row>>,
}

/// What a row shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Who.
    pub(crate) user: User,
    /// Somebody else has the same name.
    pub(crate) has_twin: bool,
}

/// What only this visitor sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct Desk {
    /// The page's own connection.
    pub(crate) connection: Connection,
    /// Why the last name was not taken.
    pub(crate) refusal: Option<String>,
    /// The field for another name is open.
    pub(crate) is_renaming: bool,
    /// What became of the last attempt to copy the link, while that is news.
    pub(crate) is_link_copied: Option<bool>,
    /// Scripts run, and hear what the visitor asks for.
    pub(crate) is_awake: bool,
    /// The name that this person had last time, in any room.
    pub(crate) remembered_name: Option<String>,
    /// In how many of this browser's tabs the room is shown, as far as they answered.
    pub(crate) tabs: usize,
    /// Why this person is listed no longer, where they did not ask for it here.
    pub(crate) farewell: Option<&'static str>,
    /// There is a line that says what happened while the list was not live.
    pub(crate) has_missed_something: bool,
}

/// What the visitor asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Something the server has to grant.
    Wish(Wish),
    /// A connection, at once.
    TryNow,
    /// The address of the room, on the clipboard.
    CopyLink,
    /// No more of what was missed.
    Dismiss,
}

/// What the visitor wants and the server has not granted yet; it survives the loss of a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To be listed under this name.
    Join(String),
    /// To be called this from now on.
    Rename(String),
    /// To be listed no longer.
    Leave,
}

impl Board {
    /// The board as it is in the first HTML, made at this time of the server's clock.
    pub(crate) fn new(now: u64, replica: &Replica) -> Self {
        let mut people = People::default();
        people.redraw(replica);
        Self {
            people: RwSignal::new(people),
            desk: RwSignal::new(Desk::default()),
            now: RwSignal::new(now),
            moment: RwSignal::new(now),
            command: RwSignal::new(None),
        }
    }

    /// Draws the list as it is now.
    pub(crate) fn show(&self, replica: &Replica) {
        self.people.maybe_update(|people| people.redraw(replica));
    }

    /// Asks for something.
    pub(crate) fn ask(&self, command: Command) {
        self.command.set(Some(command));
    }

    /// Whether the page reacts to the visitor yet; without scripts it never does.
    pub(crate) fn is_awake(&self) -> bool {
        self.desk.with(|desk| desk.is_awake)
    }

    /// The signal of a row.
    pub(crate) fn row(&self, id: &UserId) -> Option<ArcRwSignal<Row>> {
        self.people.with_untracked(|people| people.rows.get(id).cloned())
    }
}

impl People {
    /// Brings everything to what `replica` says, and answers whether anything but a row is new.
    fn redraw(&mut self, replica: &Replica) -> bool {
        let roster = replica.roster();
        let namesakes = Namesakes::of(roster.users());
        let mut rows = HashMap::with_capacity(roster.len());
        for user in roster.users() {
            let row = Row { user: user.clone(), has_twin: namesakes.has_twin(&user.name) };
            let signal = match self.rows.remove(&user.id) {
                Some(signal) => {
                    if signal.with_untracked(|old| *old != row) {
                        signal.set(row);
                    }
                    signal
                }
                None => ArcRwSignal::new(row),
            };
            rows.insert(user.id, signal);
        }
        self.rows = rows;
        let ids: Vec<UserId> = roster.users().map(|user| user.id).collect();
        let your_name = replica.your_row().map(|user| user.name.clone());
        let is_new = (&ids, replica.count(), replica.you(), &your_name)
            != (&self.ids, self.count, self.you, &self.your_name);
        self.ids = ids;
        self.count = replica.count();
        self.you = replica.you();
        self.your_name = your_name;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presence::{
        Changes, Difference, ExistingUsers, PresenceState, Renamed, ServerEvent,
    };

    const NAMES: [&str; 3] = ["Ana", "Bo", "Cy"];

    fn user(number: usize, name: &str) -> User {
        User {
            id: format!("user-----{number:02}").parse().unwrap(),
            name: Name::parse(name).unwrap(),
            joined: 0,
            state: PresenceState::Here,
        }
    }

    /// Ana, who is the visitor, Bo and Cy.
    fn replica() -> Replica {
        let users = (0..).zip(NAMES).map(|(number, name)| user(number, name)).collect();
        Replica::from_first_html(ExistingUsers {
            epoch: "e1".parse().unwrap(),
            seq: 0,
            you: Some(user(0, "Ana").id),
            now: 0,
            count: NAMES.len(),
            users,
        })
        .unwrap()
    }

    fn advance(replica: &mut Replica, difference: Difference) {
        let from = replica.position().unwrap().seq;
        let changes = Changes { from, seq: from + 1, difference };
        replica.receive(ServerEvent::Changes(changes)).unwrap();
    }

    fn row(people: &People, number: usize) -> Row {
        people.rows[&user(number, "Any").id].get_untracked()
    }

    fn signals(people: &People) -> Vec<ArcRwSignal<Row>> {
        people.ids.iter().map(|id| people.rows[id].clone()).collect()
    }

    fn drawn(replica: &Replica) -> People {
        let mut people = People::default();
        assert!(people.redraw(replica));
        assert!(!people.redraw(replica));
        people
    }

    #[test]
    fn it_shows_what_the_list_says() {
        let people = drawn(&replica());
        assert_eq!(people.count, 3);
        assert_eq!(people.your_name, Name::parse("Ana").ok());
        assert_eq!(people.ids, [0, 1, 2].map(|number| user(number, "Any").id));
        for (number, name) in (0..).zip(NAMES) {
            assert_eq!(row(&people, number), Row { user: user(number, name), has_twin: false });
        }
    }

    #[test]
    fn a_change_in_one_row_is_the_concern_of_that_row() {
        let mut replica = replica();
        let mut people = drawn(&replica);
        let before = signals(&people);
        let mut difference = Difference::default();
        let name = Name::parse("Bob").unwrap();
        difference.user_changed.renamed.push(Renamed { id: user(1, "Bo").id, name });
        difference.user_changed.away.push(user(1, "Bo").id);
        advance(&mut replica, difference);
        assert!(!people.redraw(&replica));
        assert_eq!(signals(&people), before);
        assert_eq!(row(&people, 1).user, User { state: PresenceState::Away, ..user(1, "Bob") });
    }

    #[test]
    fn rows_keep_their_signals_while_others_come_and_go() {
        let mut replica = replica();
        let mut people = drawn(&replica);
        let [ana, bo, _] = &signals(&people)[..] else { panic!("three rows") };
        let mut difference = Difference { new_user: vec![user(1, "Bo")], ..Difference::default() };
        difference.disconnect_user.left = vec![user(1, "Bo").id, user(2, "Cy").id];
        advance(&mut replica, difference);
        assert!(people.redraw(&replica));
        assert_eq!(signals(&people), [ana.clone(), bo.clone()]);
        assert_eq!(people.rows.len(), 2);
    }

    #[test]
    fn a_twin_marks_the_row_that_was_there_first_as_well() {
        let mut replica = replica();
        let mut people = drawn(&replica);
        let arrival = Difference { new_user: vec![user(3, "BO")], ..Difference::default() };
        advance(&mut replica, arrival);
        assert!(people.redraw(&replica));
        let have_twins = [0, 1, 2, 3].map(|number| row(&people, number).has_twin);
        assert_eq!(have_twins, [false, true, false, true]);
        let mut departure = Difference::default();
        departure.disconnect_user.closed.push(user(3, "BO").id);
        advance(&mut replica, departure);
        people.redraw(&replica);
        assert!(!row(&people, 1).has_twin);
    }

    #[test]
    fn being_renamed_oneself_is_everybodys_concern() {
        let mut replica = replica();
        let mut people = drawn(&replica);
        let mut difference = Difference::default();
        let name = Name::parse("Ann").unwrap();
        difference.user_changed.renamed.push(Renamed { id: user(0, "Ana").id, name: name.clone() });
        advance(&mut replica, difference);
        assert!(people.redraw(&replica));
        assert_eq!(people.your_name, Some(name));
    }
}
