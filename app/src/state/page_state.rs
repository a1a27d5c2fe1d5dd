//! What the page shows, as signals.

use std::ops::Range;

use leptos::prelude::*;

use super::{
    command::Command,
    row::{Row, since},
    ui_state::UiState,
};
use crate::{
    client::Replica,
    list::{lookalikes::Lookalikes, name_index::NameIndex},
    presence::{ExistingUsers, Name, UserId},
};

/// The state of the page. It draws a [`Replica`] and decides nothing by itself.
///
/// There are few signals, and each row has its own: what everyone sees changes often and in one
/// place, and what only this visitor sees changes so rarely that all of it may look up.
#[derive(Clone, Copy)]
pub(crate) struct PageState {
    /// Who is here.
    pub(crate) people: RwSignal<People>,
    /// What only this visitor sees.
    pub(crate) ui: RwSignal<UiState>,
    /// The server's clock in milliseconds; it runs only while the connection is lost.
    pub(crate) moment: RwSignal<u64>,
    /// What the visitor asks for; scripts listen, once they run.
    pub(crate) command: RwSignal<Option<Command>>,
}

/// Who is here, but for what their rows show: that is in a signal for each row.
#[derive(Default)]
pub(crate) struct People {
    /// Whose rows are in the page, in order.
    pub(crate) ids: Vec<UserId>,
    /// How many are to be shown, in the page or above and below what can be seen of it.
    pub(crate) found: usize,
    /// How many are here that are not known yet: the first HTML held the beginning of a long list.
    pub(crate) unknown: usize,
    /// How many are here, shown or not.
    pub(crate) count: usize,
    /// This person's own id in the room.
    pub(crate) you: Option<UserId>,
    /// What this person is called, while they are listed.
    pub(crate) your_name: Option<Name>,
    /// The server's clock in milliseconds, as the rows tell it: it stands still while the list does.
    now: u64,
    /// As few as there are in the page, and fewer while some are only there as they came.
    rows: Vec<(UserId, ArcRwSignal<Row>)>,
}

/// What of a list is in the page.
#[derive(Clone, Debug)]
pub(crate) struct VisibleSlice<'list> {
    /// What is known of everyone's name.
    pub(crate) name_index: &'list NameIndex,
    /// Everyone who is to be shown, as far as they are known, in order.
    pub(crate) order: &'list [UserId],
    /// Which of them are in the page.
    pub(crate) rows: Range<usize>,
    /// All of them are, or will be a few frames later.
    pub(crate) is_whole: bool,
    /// How many are to be shown, known or not.
    pub(crate) found: usize,
}

impl PageState {
    /// The board and the list as they are in the first HTML. `come_to_life` says, of how many rows it
    /// holds, which ones the browser hydrates.
    pub(crate) fn of_first_html(
        list: ExistingUsers,
        come_to_life: impl FnOnce(usize) -> Range<usize>,
    ) -> (Self, Replica) {
        let now = list.now;
        // A list that holds someone twice is none; the socket brings a better one.
        let replica = Replica::from_first_html(list).unwrap_or_default();
        let mut people = People { now, ..People::default() };
        let order: Vec<UserId> = replica.roster().users().map(|user| user.id).collect();
        let rows = come_to_life(order.len());
        let name_index = NameIndex::of(replica.roster());
        let found = replica.count();
        let is_whole = order.len() == found;
        let slice = VisibleSlice { name_index: &name_index, order: &order, rows, is_whole, found };
        people.update(&replica, &slice);
        // The others are in the page as well, as they came.
        people.ids = order;
        let page_state = Self {
            people: RwSignal::new(people),
            ui: RwSignal::new(UiState::default()),
            moment: RwSignal::new(now),
            command: RwSignal::new(None),
        };
        (page_state, replica)
    }

    /// Draws the list as it is now.
    pub(crate) fn show(&self, replica: &Replica, slice: &VisibleSlice<'_>) {
        self.people.maybe_update(|people| people.update(replica, slice));
    }

    /// Shows in all rows that it is this time of the server's clock, in milliseconds.
    pub(crate) fn set_now(&self, now: u64) {
        self.people.maybe_update(|people| {
            people.set_now(now);
            false
        });
    }

    /// What time the rows tell.
    pub(crate) fn displayed_now(&self) -> u64 {
        self.people.with_untracked(|people| people.now)
    }

    /// Whether this is the person who looks at the page.
    pub(crate) fn is_you(&self, id: &UserId) -> bool {
        self.people.with_untracked(|people| people.you == Some(*id))
    }

    /// Asks for something.
    pub(crate) fn ask(&self, command: Command) {
        self.command.set(Some(command));
    }

    /// Whether the page reacts to the visitor yet; without scripts it never does.
    pub(crate) fn is_interactive(&self) -> bool {
        self.ui.with(|ui| ui.is_interactive)
    }

    /// The signal of a row.
    pub(crate) fn row(&self, id: &UserId) -> Option<ArcRwSignal<Row>> {
        self.people.with_untracked(|people| people.row(id).cloned())
    }
}

impl People {
    /// The rows that are in the page, and whether each has come to life.
    pub(crate) fn rendered_rows(&self) -> Vec<(UserId, bool)> {
        let is_fully_hydrated = self.is_fully_hydrated();
        let is_alive = |id| is_fully_hydrated || self.row(id).is_some();
        self.ids.iter().map(|id| (*id, is_alive(id))).collect()
    }

    /// No row is in the page only as the first HTML brought it.
    pub(crate) fn is_fully_hydrated(&self) -> bool {
        self.rows.len() == self.ids.len()
    }

    /// Brings everything to what `replica` says, and answers whether anything but a row is new.
    fn update(&mut self, replica: &Replica, slice: &VisibleSlice<'_>) -> bool {
        let roster = replica.roster();
        let wanted = slice.order.get(slice.rows.clone()).unwrap_or_default();
        let names = wanted.iter().filter_map(|id| roster.get(id)).map(|user| &user.name);
        let lookalikes = Lookalikes::of(slice.name_index, names);
        let mut rows = Vec::with_capacity(wanted.len());
        for (number, id) in (slice.rows.start + 1..).zip(wanted) {
            let Some(user) = roster.get(id) else {
                // The order is older than the list: who has gone since goes with the next order.
                rows.extend(self.row(id).map(|signal| (*id, signal.clone())));
                continue;
            };
            let row = Row {
                user: user.clone(),
                has_lookalike: lookalikes.has_lookalike(&user.name),
                place: (!slice.is_whole).then_some((number, slice.found)),
                since: since(user, self.now),
            };
            let signal = match self.row(id) {
                Some(signal) => {
                    show(signal, row);
                    signal.clone()
                }
                None => ArcRwSignal::new(row),
            };
            rows.push((*id, signal));
        }
        let were_all_alive = self.is_fully_hydrated();
        let ids: Vec<UserId> = rows.iter().map(|(id, _)| *id).collect();
        self.rows = rows;
        let your_name = replica.own_row().map(|user| user.name.clone());
        let unknown = replica.count().saturating_sub(roster.len());
        let is_new = !were_all_alive
            || (&ids, slice.found, unknown, replica.count(), replica.you(), &your_name)
                != (&self.ids, self.found, self.unknown, self.count, self.you, &self.your_name);
        self.ids = ids;
        self.found = slice.found;
        self.unknown = unknown;
        self.count = replica.count();
        self.you = replica.you();
        self.your_name = your_name;
        is_new
    }

    fn set_now(&mut self, now: u64) {
        self.now = now;
        for (_, signal) in &self.rows {
            let row = signal.get_untracked();
            show(signal, Row { since: since(&row.user, now), ..row });
        }
    }

    pub(crate) fn row(&self, id: &UserId) -> Option<&ArcRwSignal<Row>> {
        self.rows.iter().find(|(other, _)| other == id).map(|(_, signal)| signal)
    }
}

/// A row that is as it was is not drawn again.
fn show(signal: &ArcRwSignal<Row>, row: Row) {
    if signal.with_untracked(|old| *old != row) {
        signal.set(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presence::{
        Changes, Difference, ExistingUsers, PresenceState, Renamed, ServerEvent, User,
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
    fn first_html() -> ExistingUsers {
        ExistingUsers {
            epoch: "e1".parse().unwrap(),
            seq: 0,
            you: Some(user(0, "Ana").id),
            now: 0,
            count: NAMES.len(),
            users: (0..).zip(NAMES).map(|(number, name)| user(number, name)).collect(),
        }
    }

    fn replica() -> Replica {
        Replica::from_first_html(first_html()).unwrap()
    }

    fn advance(replica: &mut Replica, difference: Difference) {
        let from = replica.position().unwrap().seq;
        let changes = Changes { from, seq: from + 1, difference };
        replica.receive(ServerEvent::Changes(changes)).unwrap();
    }

    fn row(people: &People, number: usize) -> Row {
        people.row(&user(number, "Any").id).unwrap().get_untracked()
    }

    fn signals(people: &People) -> Vec<ArcRwSignal<Row>> {
        people.ids.iter().map(|id| people.row(id).unwrap().clone()).collect()
    }

    fn drawn(replica: &Replica) -> People {
        let mut people = People::default();
        assert!(update(&mut people, replica));
        assert!(!update(&mut people, replica));
        people
    }

    /// Draws the whole list.
    fn update(people: &mut People, replica: &Replica) -> bool {
        let order: Vec<UserId> = replica.roster().users().map(|user| user.id).collect();
        let (rows, found) = (0..order.len(), order.len());
        let name_index = NameIndex::of(replica.roster());
        let slice =
            VisibleSlice { name_index: &name_index, order: &order, rows, is_whole: true, found };
        people.update(replica, &slice)
    }

    #[test]
    fn it_shows_what_the_list_says() {
        let people = drawn(&replica());
        assert_eq!(people.count, 3);
        assert_eq!(people.your_name, Name::parse("Ana").ok());
        assert_eq!(people.ids, [0, 1, 2].map(|number| user(number, "Any").id));
        for (number, name) in (0..).zip(NAMES) {
            let (user, since) = (user(number, name), "just now".into());
            assert_eq!(
                row(&people, number),
                Row { user, has_lookalike: false, place: None, since }
            );
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
        assert!(!update(&mut people, &replica));
        assert_eq!(signals(&people), before);
        assert_eq!(row(&people, 1).user, User { state: PresenceState::Away, ..user(1, "Bob") });
    }

    #[test]
    fn all_rows_tell_the_same_time_and_who_can_not_be_seen_has_none() {
        let mut replica = replica();
        let mut difference = Difference::default();
        difference.user_changed.away.push(user(1, "Bo").id);
        advance(&mut replica, difference);
        let mut people = drawn(&replica);
        people.set_now(120_000);
        let arrival = Difference { new_user: vec![user(3, "Di")], ..Difference::default() };
        advance(&mut replica, arrival);
        assert!(update(&mut people, &replica));
        let since = [0, 1, 2, 3].map(|number| row(&people, number).since);
        assert_eq!(since, ["here 2 min", "away", "here 2 min", "here 2 min"]);
    }

    #[test]
    fn rows_keep_their_signals_while_others_come_and_go() {
        let mut replica = replica();
        let mut people = drawn(&replica);
        let [ana, bo, _] = &signals(&people)[..] else { panic!("three rows") };
        let mut difference = Difference { new_user: vec![user(1, "Bo")], ..Difference::default() };
        difference.disconnect_user.left = vec![user(1, "Bo").id, user(2, "Cy").id];
        advance(&mut replica, difference);
        assert!(update(&mut people, &replica));
        assert_eq!(signals(&people), [ana.clone(), bo.clone()]);
        assert_eq!(people.rows.len(), 2);
    }

    #[test]
    fn a_twin_marks_the_row_that_was_there_first_as_well() {
        let mut replica = replica();
        let mut people = drawn(&replica);
        let arrival = Difference { new_user: vec![user(3, "BO")], ..Difference::default() };
        advance(&mut replica, arrival);
        assert!(update(&mut people, &replica));
        let have_twins = [0, 1, 2, 3].map(|number| row(&people, number).has_lookalike);
        assert_eq!(have_twins, [false, true, false, true]);
        let mut departure = Difference::default();
        departure.disconnect_user.closed.push(user(3, "BO").id);
        advance(&mut replica, departure);
        update(&mut people, &replica);
        assert!(!row(&people, 1).has_lookalike);
    }

    #[test]
    fn being_renamed_oneself_is_everybodys_concern() {
        let mut replica = replica();
        let mut people = drawn(&replica);
        let mut difference = Difference::default();
        let name = Name::parse("Ann").unwrap();
        difference.user_changed.renamed.push(Renamed { id: user(0, "Ana").id, name: name.clone() });
        advance(&mut replica, difference);
        assert!(update(&mut people, &replica));
        assert_eq!(people.your_name, Some(name));
    }

    #[test]
    fn who_has_gone_stays_while_the_order_is_older_than_the_list() {
        let mut replica = replica();
        let mut people = drawn(&replica);
        let before = signals(&people);
        let order = people.ids.clone();
        let mut departure = Difference::default();
        departure.disconnect_user.left.push(user(1, "Bo").id);
        advance(&mut replica, departure);
        let name_index = NameIndex::of(replica.roster());
        let slice = VisibleSlice {
            name_index: &name_index,
            order: &order,
            rows: 0..3,
            is_whole: true,
            found: 3,
        };
        people.update(&replica, &slice);
        assert_eq!(signals(&people), before);
        assert!(people.is_fully_hydrated());
        assert!(update(&mut people, &replica));
        assert_eq!(people.ids, [0, 2].map(|number| user(number, "Any").id));
    }

    #[test]
    fn what_does_not_come_to_life_is_in_the_page_until_it_is_drawn() {
        let [ana, bo, cy] = [0, 1, 2].map(|number| user(number, "Any").id);
        Owner::new().with(|| {
            let (page_state, replica) = PageState::of_first_html(first_html(), |known| 1..known);
            page_state.people.update_untracked(|people| {
                assert!(!people.is_fully_hydrated());
                assert_eq!(people.rendered_rows(), [(ana, false), (bo, true), (cy, true)]);
                let kept = people.row(&bo).cloned();
                assert!(update(people, &replica));
                assert!(people.is_fully_hydrated());
                assert_eq!(people.rendered_rows(), [(ana, true), (bo, true), (cy, true)]);
                assert_eq!(people.row(&bo).cloned(), kept);
            });
        });
    }

    #[test]
    fn only_the_rows_of_an_excerpt_are_in_the_page_and_know_their_places() {
        let replica = replica();
        let mut people = drawn(&replica);
        let kept = people.row(&user(1, "Bo").id).cloned();
        let order: Vec<UserId> = people.ids.iter().rev().copied().collect();
        let name_index = NameIndex::of(replica.roster());
        let slice = VisibleSlice {
            name_index: &name_index,
            order: &order,
            rows: 1..3,
            is_whole: false,
            found: 3,
        };
        assert!(people.update(&replica, &slice));
        assert!(!people.update(&replica, &slice));
        assert_eq!(people.ids, [1, 0].map(|number| user(number, "Any").id));
        assert_eq!([1, 0].map(|number| row(&people, number).place), [Some((2, 3)), Some((3, 3))]);
        assert_eq!(people.row(&user(1, "Bo").id).cloned(), kept);
        assert_eq!(people.row(&user(2, "Cy").id), None);
        assert_eq!((people.count, people.found), (3, 3));
    }
}
