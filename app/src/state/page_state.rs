//! The page's state, as signals.

use std::ops::Range;

use leptos::prelude::*;

use super::{
    command::Command,
    connection_status::ConnectionStatus,
    row::{Row, since},
    ui_state::UiState,
};
use crate::{
    client::Replica,
    list::{lookalikes::Lookalikes, name_index::NameIndex, sort_filter::ListOptions},
    presence::{ExistingUsers, Name, UserId},
};

/// The page's state: it mirrors a [`Replica`] and makes no decisions.
///
/// Each row has a signal, as rows change often and one at a time. The rest has few signals: it changes so
/// rarely that all its readers may run again.
#[derive(Clone, Copy)]
pub(crate) struct PageState {
    /// The people in the list.
    pub(crate) people: RwSignal<People>,
    /// How many of them are away. It changes more often than the rest, and few parts of the page depend on it.
    pub(crate) away: RwSignal<usize>,
    /// What is this visitor's own.
    pub(crate) ui: RwSignal<UiState>,
    /// The server's time in milliseconds, for the banner; updated only while the connection is lost.
    pub(crate) now: RwSignal<u64>,
    /// The visitor's last command; the browser carries it out.
    pub(crate) command: RwSignal<Option<Command>>,
}

/// The people in the list. What a row shows is in a signal of its own.
#[derive(Default)]
pub(crate) struct People {
    /// The ids of the rows in the page, in order.
    pub(crate) ids: Vec<UserId>,
    /// How many rows match the list options, in the page or beyond it.
    pub(crate) found: usize,
    /// How many rows are not loaded yet: the first HTML has only the beginning of a long list.
    pub(crate) unloaded: usize,
    /// How many rows the list has.
    pub(crate) count: usize,
    /// This person's own id in the room.
    pub(crate) you: Option<UserId>,
    /// This person's name, while they are listed.
    pub(crate) own_name: Option<Name>,
    /// The signals of the hydrated rows in the page.
    rows: Vec<(UserId, ArcRwSignal<Row>)>,
}

/// The part of a list that is in the page.
#[derive(Clone, Debug)]
pub(crate) struct VisibleSlice<'list> {
    /// The index of all names.
    pub(crate) name_index: &'list NameIndex,
    /// The loaded rows that match the list options, in order.
    pub(crate) order: &'list [UserId],
    /// Which of them are in the page.
    pub(crate) rows: Range<usize>,
    /// All of them are in the page, or will be a few animation frames later.
    pub(crate) is_whole: bool,
    /// How many rows match the list options, loaded or not.
    pub(crate) found: usize,
}

impl PageState {
    /// The state and the list of the first HTML, in the order of these options. `hydrated_rows` chooses, by the number of rows in it, which
    /// ones are hydrated.
    pub(crate) fn of_first_html(
        list: ExistingUsers,
        away: usize,
        options: ListOptions,
        hydrated_rows: impl FnOnce(usize) -> Range<usize>,
    ) -> (Self, Replica) {
        let now = list.now;
        // An invalid list is dropped; the socket brings a new one.
        let replica = Replica::from_first_rows(list, away).unwrap_or_default();
        let mut people = People::default();
        let name_index = NameIndex::of(replica.roster());
        let order = options.arrange(&name_index, replica.you(), None);
        let rows = hydrated_rows(order.len());
        let found = replica.count();
        let is_whole = order.len() == found;
        let slice = VisibleSlice { name_index: &name_index, order: &order, rows, is_whole, found };
        people.update(&replica, &slice);
        // The other rows are in the page as well, not hydrated.
        people.ids = order;
        let page_state = Self {
            people: RwSignal::new(people),
            away: RwSignal::new(replica.away()),
            ui: RwSignal::new(UiState { options, ..UiState::default() }),
            now: RwSignal::new(now),
            command: RwSignal::new(None),
        };
        (page_state, replica)
    }

    /// Updates the state to the list.
    pub(crate) fn show(&self, replica: &Replica, slice: &VisibleSlice<'_>) {
        self.people.maybe_update(|people| people.update(replica, slice));
        if self.away.get_untracked() != replica.away() {
            self.away.set(replica.away());
        }
    }

    /// Whether this is the visitor's own id.
    pub(crate) fn is_you(&self, id: &UserId) -> bool {
        self.people.with_untracked(|people| people.you == Some(*id))
    }

    /// How many people are here, and not away.
    pub(crate) fn here(&self) -> usize {
        self.people.with(|people| people.count).saturating_sub(self.away.get())
    }

    /// Issues a command.
    pub(crate) fn ask(&self, command: Command) {
        self.command.set(Some(command));
    }

    /// Whether the page is interactive yet; without scripts it never is.
    pub(crate) fn is_interactive(&self) -> bool {
        self.ui.with(|ui| ui.is_interactive)
    }

    /// Whether the server can be asked to join, rename or leave.
    pub(crate) fn can_ask(&self) -> bool {
        self.ui.with(|ui| ui.is_interactive && ui.connection != ConnectionStatus::OnlyWatching)
    }

    /// The signal of a row.
    pub(crate) fn row(&self, id: &UserId) -> Option<ArcRwSignal<Row>> {
        self.people.with_untracked(|people| people.row(id).cloned())
    }
}

impl People {
    /// The rows in the page, and whether each is hydrated.
    pub(crate) fn rendered_rows(&self) -> Vec<(UserId, bool)> {
        let is_fully_hydrated = self.is_fully_hydrated();
        let is_hydrated = |id| is_fully_hydrated || self.row(id).is_some();
        self.ids.iter().map(|id| (*id, is_hydrated(id))).collect()
    }

    /// Whether every row in the page is hydrated.
    pub(crate) fn is_fully_hydrated(&self) -> bool {
        self.rows.len() == self.ids.len()
    }

    /// Updates everything to `replica`, and returns whether anything but the content of rows changed.
    fn update(&mut self, replica: &Replica, slice: &VisibleSlice<'_>) -> bool {
        let roster = replica.roster();
        let wanted = slice.order.get(slice.rows.clone()).unwrap_or_default();
        let shown = wanted.iter().filter_map(|id| roster.get(id));
        let lookalikes = Lookalikes::of(slice.name_index, shown.map(|user| (user.id, &user.name)));
        let mut rows = Vec::with_capacity(wanted.len());
        for (number, id) in (slice.rows.start + 1..).zip(wanted) {
            let Some(user) = roster.get(id) else {
                // The order is older than the list; the next one leaves out rows that were removed since.
                rows.extend(self.row(id).map(|signal| (*id, signal.clone())));
                continue;
            };
            let row = Row {
                user: user.clone(),
                namesake: lookalikes.place(&user.id),
                place: (!slice.is_whole).then_some((number, slice.found)),
                since: since(user),
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
        let was_fully_hydrated = self.is_fully_hydrated();
        let ids: Vec<UserId> = rows.iter().map(|(id, _)| *id).collect();
        self.rows = rows;
        let own_name = replica.own_row().map(|user| user.name.clone());
        let unloaded = replica.count().saturating_sub(roster.len());
        let is_changed = !was_fully_hydrated
            || (&ids, slice.found, unloaded, replica.count(), replica.you(), &own_name)
                != (&self.ids, self.found, self.unloaded, self.count, self.you, &self.own_name);
        self.ids = ids;
        self.found = slice.found;
        self.unloaded = unloaded;
        self.count = replica.count();
        self.you = replica.you();
        self.own_name = own_name;
        is_changed
    }

    pub(crate) fn row(&self, id: &UserId) -> Option<&ArcRwSignal<Row>> {
        self.rows.iter().find(|(other, _)| other == id).map(|(_, signal)| signal)
    }
}

/// An unchanged row is not rendered again.
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

    fn rendered(replica: &Replica) -> People {
        let mut people = People::default();
        assert!(update(&mut people, replica));
        assert!(!update(&mut people, replica));
        people
    }

    /// Renders the whole list.
    fn update(people: &mut People, replica: &Replica) -> bool {
        let order: Vec<UserId> = replica.roster().users().map(|user| user.id).collect();
        let (rows, found) = (0..order.len(), order.len());
        let name_index = NameIndex::of(replica.roster());
        let slice =
            VisibleSlice { name_index: &name_index, order: &order, rows, is_whole: true, found };
        people.update(replica, &slice)
    }

    #[test]
    fn rows_show_the_content_of_the_list() {
        let people = rendered(&replica());
        assert_eq!(people.count, 3);
        assert_eq!(people.own_name, Name::parse("Ana").ok());
        assert_eq!(people.ids, [0, 1, 2].map(|number| user(number, "Any").id));
        for (number, name) in (0..).zip(NAMES) {
            let (user, since) = (user(number, name), "00:00 UTC".into());
            assert_eq!(row(&people, number), Row { user, namesake: None, place: None, since });
        }
    }

    #[test]
    fn a_change_in_one_row_only_updates_its_signal() {
        let mut replica = replica();
        let mut people = rendered(&replica);
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
    fn rows_have_the_time_of_arrival_and_away_rows_their_state() {
        let mut replica = replica();
        let mut difference = Difference::default();
        difference.user_changed.away.push(user(1, "Bo").id);
        advance(&mut replica, difference);
        let mut people = rendered(&replica);
        let arrival = Difference { new_user: vec![user(3, "Di")], ..Difference::default() };
        advance(&mut replica, arrival);
        assert!(update(&mut people, &replica));
        let since = [0, 1, 2, 3].map(|number| row(&people, number).since);
        assert_eq!(since, ["00:00 UTC", "away", "00:00 UTC", "00:00 UTC"]);
    }

    #[test]
    fn rows_keep_their_signals_while_others_come_and_go() {
        let mut replica = replica();
        let mut people = rendered(&replica);
        let [ana, bo, _] = &signals(&people)[..] else { panic!("three rows") };
        let mut difference = Difference { new_user: vec![user(1, "Bo")], ..Difference::default() };
        difference.disconnect_user.left = vec![user(1, "Bo").id, user(2, "Cy").id];
        advance(&mut replica, difference);
        assert!(update(&mut people, &replica));
        assert_eq!(signals(&people), [ana.clone(), bo.clone()]);
        assert_eq!(people.rows.len(), 2);
    }

    #[test]
    fn the_second_of_a_name_is_numbered() {
        let mut replica = replica();
        let mut people = rendered(&replica);
        let arrival = Difference { new_user: vec![user(3, "BO")], ..Difference::default() };
        advance(&mut replica, arrival);
        assert!(update(&mut people, &replica));
        let namesakes = [0, 1, 2, 3].map(|number| row(&people, number).namesake);
        assert_eq!(namesakes, [None, None, None, Some(2)]);
        let mut departure = Difference::default();
        departure.disconnect_user.closed.push(user(1, "Bo").id);
        advance(&mut replica, departure);
        update(&mut people, &replica);
        assert_eq!(row(&people, 3).namesake, None);
    }

    #[test]
    fn an_own_rename_updates_the_people_signal() {
        let mut replica = replica();
        let mut people = rendered(&replica);
        let mut difference = Difference::default();
        let name = Name::parse("Ann").unwrap();
        difference.user_changed.renamed.push(Renamed { id: user(0, "Ana").id, name: name.clone() });
        advance(&mut replica, difference);
        assert!(update(&mut people, &replica));
        assert_eq!(people.own_name, Some(name));
    }

    #[test]
    fn a_removed_row_stays_while_the_order_is_older_than_the_list() {
        let mut replica = replica();
        let mut people = rendered(&replica);
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
    fn an_unhydrated_row_is_in_the_page_until_it_is_rendered() {
        let [ana, bo, cy] = [0, 1, 2].map(|number| user(number, "Any").id);
        Owner::new().with(|| {
            let (page_state, replica) =
                PageState::of_first_html(first_html(), 0, ListOptions::default(), |known| 1..known);
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
    fn only_rows_of_the_slice_are_in_the_page_with_their_positions() {
        let replica = replica();
        let mut people = rendered(&replica);
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
