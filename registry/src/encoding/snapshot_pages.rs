//! A whole list as frames of at most 4 KiB, encoded once for all readers that take it at the same `seq`.

use std::sync::Arc;

use app::presence::{Difference, Epoch, Roster, User, UserId};

use super::{
    frame::{Batch, Frame},
    messages::{ROOM_FOR_ROWS_IN_BYTES, as_json, json_id},
    server_build::build_field,
};

/// The text around the rows in every frame but the first.
const BEFORE_ROWS: &str = r#"{"event":"more_users","users":"#;
const AFTER_ROWS: &str = "}";

/// A list in pages of rows that fit a frame each.
#[derive(Clone, Debug)]
pub struct EncodedList {
    epoch: Epoch,
    seq: u64,
    count: usize,
    /// The rows of each page, by their people.
    ids: Vec<Arc<[UserId]>>,
    /// The first page in the form of the others: the fields around its rows differ by reader.
    first: Frame,
    /// The pages that follow, which are the same for all readers.
    more: Arc<[Frame]>,
}

impl EncodedList {
    /// Encodes the list of `roster`, which is at `seq`.
    pub fn new(epoch: Epoch, seq: u64, roster: &Roster) -> Self {
        let mut pages = Pages::default();
        for user in roster.users() {
            pages.write(user);
        }
        pages.into_list(epoch, seq, roster.len())
    }

    /// The list of `roster`, which is at `seq`, and which `difference` makes of this list.
    ///
    /// Only pages with a changed row are encoded again, so that a long list costs little more than a short one.
    #[must_use]
    pub fn updated(&self, seq: u64, difference: &Difference, roster: &Roster) -> Self {
        let from_scratch = || Self::new(self.epoch.clone(), seq, roster);
        let removed: Vec<UserId> =
            sorted(difference.disconnect_user.iter().map(|(_, id)| *id).collect());
        let states = difference.user_changed.states().into_iter().flat_map(|(_, ids)| ids);
        let renamed = difference.user_changed.renamed.iter().map(|renamed| &renamed.id);
        let changed = sorted(removed.iter().chain(states).chain(renamed).copied().collect());
        if changed.len() > self.ids.len() {
            return from_scratch();
        }
        let mut pages = Pages::default();
        for (index, (ids, frame)) in self.pages().enumerate() {
            let is_extended = index + 1 == self.ids.len() && !difference.new_user.is_empty();
            if !is_extended && !intersects(&changed, ids) {
                pages.keep(ids, frame);
                continue;
            }
            let kept = ids.iter().filter(|id| removed.binary_search(id).is_err());
            kept.filter_map(|id| roster.get(id)).for_each(|user| pages.write(user));
        }
        difference.new_user.iter().for_each(|user| pages.write(user));
        let list = pages.into_list(self.epoch.clone(), seq, roster.len());
        // Pages lose rows over time and are never filled again. A list with a missing row, which would be a
        // bug, would lack the row in all of its updates.
        if list.is_fragmented() || !list.is_whole() { from_scratch() } else { list }
    }

    /// The number of the last change in the list.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The frames for one reader; `now` is in milliseconds since the Unix epoch.
    pub fn frames_for(&self, viewer: Option<UserId>, now: u64) -> Batch {
        let Self { epoch, seq, count, .. } = self;
        let you = json_id(viewer);
        let text = self.first.text();
        let rows = text.strip_prefix(BEFORE_ROWS).and_then(|rest| rest.strip_suffix(AFTER_ROWS));
        let rows = rows.unwrap_or("[]");
        let build = build_field();
        let first = format!(
            r#"{{"event":"existing_users","epoch":"{epoch}","seq":{seq},"you":{you},"now":{now}{build},"count":{count},"users":{rows}}}"#
        );
        Batch::beginning_with(Frame::new(&first), Arc::clone(&self.more))
    }

    fn pages(&self) -> impl Iterator<Item = (&Arc<[UserId]>, &Frame)> {
        self.ids.iter().zip(std::iter::once(&self.first).chain(self.more.iter()))
    }

    fn is_whole(&self) -> bool {
        self.count == self.ids.iter().map(|ids| ids.len()).sum::<usize>()
    }

    /// Whether at most half as many pages would do.
    fn is_fragmented(&self) -> bool {
        let bytes: usize = self.pages().map(|(_, frame)| frame.bytes().len()).sum();
        self.ids.len() > 2 * (1 + bytes / ROOM_FOR_ROWS_IN_BYTES)
    }
}

fn sorted(mut ids: Vec<UserId>) -> Vec<UserId> {
    ids.sort_unstable();
    ids
}

/// Whether any of `ids` is in `changed`, which is sorted.
fn intersects(changed: &[UserId], ids: &[UserId]) -> bool {
    !changed.is_empty() && ids.iter().any(|id| changed.binary_search(id).is_ok())
}

/// Pages while they are encoded.
#[derive(Debug, Default)]
struct Pages {
    ids: Vec<Arc<[UserId]>>,
    frames: Vec<Frame>,
    /// The rows of the page that is not full yet.
    open_ids: Vec<UserId>,
    open_rows: String,
}

impl Pages {
    fn write(&mut self, user: &User) {
        let row = as_json(user);
        // With a comma before the row, and the brackets around all rows.
        if self.open_rows.len() + row.len() + 3 > ROOM_FOR_ROWS_IN_BYTES {
            self.close();
        }
        if !self.open_rows.is_empty() {
            self.open_rows.push(',');
        }
        self.open_rows.push_str(&row);
        self.open_ids.push(user.id);
    }

    /// Appends a page without encoding it again.
    fn keep(&mut self, ids: &Arc<[UserId]>, frame: &Frame) {
        self.close();
        self.ids.push(Arc::clone(ids));
        self.frames.push(frame.clone());
    }

    fn close(&mut self) {
        if !self.open_ids.is_empty() {
            self.end_page();
        }
    }

    fn end_page(&mut self) {
        let rows = &self.open_rows;
        self.frames.push(Frame::new(&format!("{BEFORE_ROWS}[{rows}]{AFTER_ROWS}")));
        self.ids.push(self.open_ids.as_slice().into());
        self.open_rows.clear();
        self.open_ids.clear();
    }

    fn into_list(mut self, epoch: Epoch, seq: u64, count: usize) -> EncodedList {
        self.close();
        // An empty list has one page as well.
        if self.frames.is_empty() {
            self.end_page();
        }
        let Self { ids, mut frames, .. } = self;
        let more = frames.split_off(1).into();
        let first = frames.swap_remove(0);
        EncodedList { epoch, seq, count, ids, first, more }
    }
}

#[cfg(test)]
mod tests {
    use app::{
        client::{Progress, Replica},
        presence::{MoreUsers, Name, Renamed, ServerEvent},
    };
    use proptest::prelude::*;

    use super::*;
    use crate::{
        encoding::messages::LONGEST_FRAME_IN_BYTES,
        presence::samples::{any_name, any_user, decode},
    };

    fn list_of(roster: &Roster, seq: u64) -> EncodedList {
        EncodedList::new("e".parse().unwrap(), seq, roster)
    }

    /// Receives the list as a client does.
    fn read(list: &EncodedList, viewer: Option<UserId>) -> Replica {
        let frames = list.frames_for(viewer, 99);
        assert!(frames.remaining().all(|frame| frame.text().len() <= LONGEST_FRAME_IN_BYTES));
        let mut replica = Replica::default();
        let mut progress = Ok(Progress::Unchanged);
        for event in decode(&frames) {
            // No page is empty.
            if let ServerEvent::MoreUsers(MoreUsers { users }) = &event {
                assert!(!users.is_empty());
            }
            progress = replica.receive(event);
        }
        assert_eq!(progress, Ok(Progress::Replaced));
        replica
    }

    /// A difference that applies to a list, derived from arbitrary numbers.
    fn difference_for(
        roster: &Roster,
        steps: &[(usize, u8, String)],
        next: &mut usize,
    ) -> Difference {
        let mut difference = Difference::default();
        let rows: Vec<&User> = roster.users().collect();
        let mut used = std::collections::BTreeSet::new();
        for (index, action, name) in steps {
            let row = rows.get(index % rows.len().max(1));
            match row.filter(|row| *action > 0 && used.insert(row.id)) {
                None => {
                    difference.new_user.push(any_user(*next, name));
                    *next += 1;
                }
                Some(row) if *action == 1 => difference.user_changed.here.push(row.id),
                Some(row) if *action == 2 => {
                    let name = Name::parse(name).unwrap();
                    difference.user_changed.renamed.push(Renamed { id: row.id, name });
                }
                Some(row) => {
                    difference.disconnect_user.left.push(row.id);
                    // The person joins again.
                    if *action == 3 {
                        difference.new_user.push((*row).clone());
                    }
                }
            }
        }
        difference
    }

    proptest! {
        #[test]
        fn list_of_any_length_arrives_completely(names in prop::collection::vec(any_name(), 0..120)) {
            let users: Vec<User> =
                names.iter().enumerate().map(|(number, name)| any_user(number, name)).collect();
            let roster = Roster::from_users(users.clone()).unwrap();
            let list = list_of(&roster, 5);
            prop_assert_eq!(list.seq(), 5);
            let viewer = users.first().map(|user| user.id);
            let replica = read(&list, viewer);
            prop_assert_eq!(replica.roster(), &roster);
            prop_assert_eq!(replica.you(), viewer);
        }

        /// Nor does it have many more frames.
        #[test]
        fn updated_list_equals_a_list_that_is_encoded_from_scratch(
            names in prop::collection::vec(any_name(), 0..300),
            differences in prop::collection::vec(
                prop::collection::vec((any::<usize>(), 0..8_u8, any_name()), 0..8),
                1..12,
            ),
        ) {
            let users = names.iter().enumerate().map(|(number, name)| any_user(number, name));
            let mut next = names.len();
            let mut roster = Roster::from_users(users).unwrap();
            let mut list = list_of(&roster, 0);
            for (steps, seq) in differences.iter().zip(1..) {
                let difference = difference_for(&roster, steps, &mut next);
                roster.apply(&difference).unwrap();
                list = list.updated(seq, &difference, &roster);
                prop_assert_eq!(list.seq(), seq);
                let replica = read(&list, None);
                prop_assert_eq!(replica.roster(), &roster);
                prop_assert!(!list.is_fragmented());
            }
        }
    }

    #[test]
    fn only_pages_with_a_change_are_encoded_again() {
        let users: Vec<User> = (0..1_000).map(|number| any_user(number, "Kim")).collect();
        let mut roster = Roster::from_users(users).unwrap();
        let list = list_of(&roster, 1);
        let mut difference = Difference::default();
        difference.disconnect_user.left.push(any_user(500, "Kim").id);
        difference.new_user.push(any_user(1_000, "Bo"));
        roster.apply(&difference).unwrap();
        let next = list.updated(2, &difference, &roster);
        let bytes = |list: &EncodedList| -> Vec<*const u8> {
            list.pages().map(|(_, frame)| frame.bytes().as_ptr()).collect()
        };
        let (before, after) = (bytes(&list), bytes(&next));
        assert!(before.len() > 10);
        let same = before.iter().zip(&after).filter(|(old, new)| old == new).count();
        assert_eq!((before.len(), same), (after.len(), before.len() - 2));
    }

    /// It would lack the row in all of its updates.
    #[test]
    fn list_with_a_missing_row_is_encoded_from_scratch() {
        let users: Vec<User> = (0..3).map(|number| any_user(number, "Kim")).collect();
        let roster = Roster::from_users(users.clone()).unwrap();
        let lacking = list_of(&Roster::from_users(users.into_iter().skip(1)).unwrap(), 1);
        let next = lacking.updated(2, &Difference::default(), &roster);
        assert_eq!(read(&next, None).roster(), &roster);
    }

    /// Otherwise a room that nearly all people have left would keep its number of pages.
    #[test]
    fn pages_that_lost_most_of_their_rows_are_merged() {
        let users: Vec<User> = (0..1_000).map(|number| any_user(number, "Kim")).collect();
        let mut roster = Roster::from_users(users).unwrap();
        let mut list = list_of(&roster, 0);
        let pages_before = list.ids.len();
        for number in (0..1_000).filter(|number| number % 50 > 0) {
            let mut difference = Difference::default();
            difference.disconnect_user.left.push(any_user(number, "Kim").id);
            roster.apply(&difference).unwrap();
            list = list.updated(0, &difference, &roster);
        }
        assert_eq!(read(&list, None).roster().len(), 20);
        assert!(list.ids.len() <= 2, "{} of {pages_before}", list.ids.len());
    }
}
