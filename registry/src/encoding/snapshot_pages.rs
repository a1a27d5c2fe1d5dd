//! A whole list as frames, none over 4 KiB, encoded once for everyone who takes it at the same point.

use std::sync::Arc;

use app::presence::{Difference, Epoch, Roster, User, UserId};

use super::{
    frame::{Batch, Frame},
    messages::{ROOM_FOR_ROWS_IN_BYTES, as_json, json_id},
};

/// What stands around the rows in every frame but the first.
const BEFORE_ROWS: &str = r#"{"event":"more_users","users":"#;
const AFTER_ROWS: &str = "}";

/// A list in pages of rows, each of which fits a frame.
#[derive(Clone, Debug)]
pub struct EncodedList {
    epoch: Epoch,
    seq: u64,
    count: usize,
    /// Whose rows are on which page.
    ids: Vec<Arc<[UserId]>>,
    /// The first page, as if it were another: what stands around its rows differs from reader to reader.
    first: Frame,
    /// The pages that follow, which are the same for all.
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

    /// The list of `roster`, which is at `seq` and `difference` further on than this one.
    ///
    /// Only pages with a row that changed are written anew: a long list costs little more than a short one.
    #[must_use]
    pub fn updated(&self, seq: u64, difference: &Difference, roster: &Roster) -> Self {
        let anew = || Self::new(self.epoch.clone(), seq, roster);
        let gone: Vec<UserId> =
            sorted(difference.disconnect_user.iter().map(|(_, id)| *id).collect());
        let stirred = difference.user_changed.states().into_iter().flat_map(|(_, ids)| ids);
        let renamed = difference.user_changed.renamed.iter().map(|renamed| &renamed.id);
        let touched = sorted(gone.iter().chain(stirred).chain(renamed).copied().collect());
        if touched.len() > self.ids.len() {
            return anew();
        }
        let mut pages = Pages::default();
        for (index, (ids, frame)) in self.pages().enumerate() {
            let is_continued = index + 1 == self.ids.len() && !difference.new_user.is_empty();
            if !is_continued && !intersects(&touched, ids) {
                pages.keep(ids, frame);
                continue;
            }
            let stay = ids.iter().filter(|id| gone.binary_search(id).is_err());
            stay.filter_map(|id| roster.get(id)).for_each(|user| pages.write(user));
        }
        difference.new_user.iter().for_each(|user| pages.write(user));
        let list = pages.into_list(self.epoch.clone(), seq, roster.len());
        // Pages lose rows over time, and are never filled up; and a list of which a row were missing would be
        // brought forward without it for ever.
        if list.is_fragmented() || !list.is_whole() { anew() } else { list }
    }

    /// The point that the list is at.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The frames for one reader; `now` is in milliseconds since the Unix epoch.
    pub fn frames_for(&self, you: Option<UserId>, now: u64) -> Batch {
        let Self { epoch, seq, count, .. } = self;
        let you = json_id(you);
        let text = self.first.text();
        let rows = text.strip_prefix(BEFORE_ROWS).and_then(|rest| rest.strip_suffix(AFTER_ROWS));
        let rows = rows.unwrap_or("[]");
        let first = format!(
            r#"{{"event":"existing_users","epoch":"{epoch}","seq":{seq},"you":{you},"now":{now},"count":{count},"users":{rows}}}"#
        );
        Batch::beginning_with(Frame::new(&first), Arc::clone(&self.more))
    }

    fn pages(&self) -> impl Iterator<Item = (&Arc<[UserId]>, &Frame)> {
        self.ids.iter().zip(std::iter::once(&self.first).chain(self.more.iter()))
    }

    fn is_whole(&self) -> bool {
        self.count == self.ids.iter().map(|ids| ids.len()).sum::<usize>()
    }

    /// Whether half as many pages would do, or fewer.
    fn is_fragmented(&self) -> bool {
        let bytes: usize = self.pages().map(|(_, frame)| frame.bytes().len()).sum();
        self.ids.len() > 2 * (1 + bytes / ROOM_FOR_ROWS_IN_BYTES)
    }
}

fn sorted(mut ids: Vec<UserId>) -> Vec<UserId> {
    ids.sort_unstable();
    ids
}

fn intersects(touched: &[UserId], ids: &[UserId]) -> bool {
    !touched.is_empty() && ids.iter().any(|id| touched.binary_search(id).is_ok())
}

/// Pages while they are written.
#[derive(Debug, Default)]
struct Pages {
    ids: Vec<Arc<[UserId]>>,
    frames: Vec<Frame>,
    /// What is on the page that is not full yet: whose rows, and their text.
    open_ids: Vec<UserId>,
    open_rows: String,
}

impl Pages {
    fn write(&mut self, user: &User) {
        let row = as_json(user);
        // A comma before the row, and the brackets around all.
        if self.open_rows.len() + row.len() + 3 > ROOM_FOR_ROWS_IN_BYTES {
            self.close();
        }
        if !self.open_rows.is_empty() {
            self.open_rows.push(',');
        }
        self.open_rows.push_str(&row);
        self.open_ids.push(user.id);
    }

    /// A page that is as it was.
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
        // An empty list has a page too.
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

    /// What a browser makes of it.
    fn read(list: &EncodedList, you: Option<UserId>) -> Replica {
        let frames = list.frames_for(you, 99);
        assert!(frames.remaining().all(|frame| frame.text().len() <= LONGEST_FRAME_IN_BYTES));
        let mut replica = Replica::default();
        let mut progress = Ok(Progress::Unchanged);
        for event in decode(&frames) {
            // No frame is for nothing.
            if let ServerEvent::MoreUsers(MoreUsers { users }) = &event {
                assert!(!users.is_empty());
            }
            progress = replica.receive(event);
        }
        assert_eq!(progress, Ok(Progress::Replaced));
        replica
    }

    /// The next difference that fits a list, made of numbers that may be anything.
    fn difference_for(
        roster: &Roster,
        steps: &[(usize, u8, String)],
        next: &mut usize,
    ) -> Difference {
        let mut difference = Difference::default();
        let rows: Vec<&User> = roster.users().collect();
        let mut met = std::collections::BTreeSet::new();
        for (which, what, name) in steps {
            let row = rows.get(which % rows.len().max(1));
            match row.filter(|row| *what > 0 && met.insert(row.id)) {
                None => {
                    difference.new_user.push(any_user(*next, name));
                    *next += 1;
                }
                Some(row) if *what == 1 => difference.user_changed.here.push(row.id),
                Some(row) if *what == 2 => {
                    let name = Name::parse(name).unwrap();
                    difference.user_changed.renamed.push(Renamed { id: row.id, name });
                }
                Some(row) => {
                    difference.disconnect_user.left.push(row.id);
                    // Somebody is here again.
                    if *what == 3 {
                        difference.new_user.push((*row).clone());
                    }
                }
            }
        }
        difference
    }

    proptest! {
        #[test]
        fn a_list_of_any_length_comes_whole(names in prop::collection::vec(any_name(), 0..120)) {
            let users: Vec<User> =
                names.iter().enumerate().map(|(number, name)| any_user(number, name)).collect();
            let roster = Roster::from_users(users.clone()).unwrap();
            let list = list_of(&roster, 5);
            prop_assert_eq!(list.seq(), 5);
            let you = users.first().map(|user| user.id);
            let replica = read(&list, you);
            prop_assert_eq!(replica.roster(), &roster);
            prop_assert_eq!(replica.you(), you);
        }

        /// Whatever happens, a list that is brought forward says the same as one that is written anew,
        /// and not in many more frames.
        #[test]
        fn a_list_that_is_brought_forward_is_the_list(
            names in prop::collection::vec(any_name(), 0..300),
            flushes in prop::collection::vec(
                prop::collection::vec((any::<usize>(), 0..8_u8, any_name()), 0..8),
                1..12,
            ),
        ) {
            let users = names.iter().enumerate().map(|(number, name)| any_user(number, name));
            let mut next = names.len();
            let mut roster = Roster::from_users(users).unwrap();
            let mut list = list_of(&roster, 0);
            for (steps, seq) in flushes.iter().zip(1..) {
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
    fn only_pages_with_a_change_are_written_anew() {
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

    /// A room that nearly all have left is not told in as many frames as it had before.
    #[test]
    fn pages_that_lost_most_of_their_rows_are_put_together() {
        let users: Vec<User> = (0..1_000).map(|number| any_user(number, "Kim")).collect();
        let mut roster = Roster::from_users(users).unwrap();
        let mut list = list_of(&roster, 0);
        let at_first = list.ids.len();
        for number in (0..1_000).filter(|number| number % 50 > 0) {
            let mut difference = Difference::default();
            difference.disconnect_user.left.push(any_user(number, "Kim").id);
            roster.apply(&difference).unwrap();
            list = list.updated(0, &difference, &roster);
        }
        assert_eq!(read(&list, None).roster().len(), 20);
        assert!(list.ids.len() <= 2, "{} of {at_first}", list.ids.len());
    }
}
