//! Frames as text, none over 4 KiB: what is longer is cut.

use app::presence::{Difference, Epoch, Name, Renamed, ServerEvent, User, UserId};
use serde::Serialize;

use super::frame::{Batch, Frame};

/// The most bytes of a frame, in both directions.
pub const LONGEST_FRAME_IN_BYTES: usize = 4096;

/// What the names of a frame's fields and its numbers take at the most, rows and ids not counted.
const ENVELOPE_IN_BYTES: usize = 512;

pub(crate) const ROOM_FOR_ROWS_IN_BYTES: usize = LONGEST_FRAME_IN_BYTES - ENVELOPE_IN_BYTES;

/// What the server says, as a frame.
pub fn encode(event: &ServerEvent) -> Frame {
    Frame::new(&as_json(event))
}

/// What somebody has missed who holds the list at `from`, encoded once for everyone who comes back from there.
#[derive(Clone, Debug)]
pub struct EncodedResume {
    epoch: Epoch,
    from: u64,
    seq: u64,
    /// The fields of the difference, a text for each piece; what stands around them differs from reader to reader.
    chunks: Vec<String>,
}

impl EncodedResume {
    /// Encodes the difference between `from` and `seq`.
    pub fn new(epoch: Epoch, from: u64, seq: u64, difference: Difference) -> Self {
        let fields = |piece: &Difference| {
            let object = as_json(piece);
            let inside = object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            inside.unwrap_or_default().to_owned()
        };
        Self { epoch, from, seq, chunks: split(difference).iter().map(fields).collect() }
    }

    /// About how long it is on the wire.
    pub fn size_in_bytes(&self) -> usize {
        // What stands around the difference in a frame.
        const AROUND: usize = 120;
        self.chunks.iter().map(|fields| fields.len() + AROUND).sum()
    }

    /// The frames for one reader; `now` is in milliseconds since the Unix epoch.
    pub fn frames_for(&self, you: Option<UserId>, now: u64) -> Batch {
        let Self { epoch, from, seq, chunks } = self;
        let you = json_id(you);
        let last = chunks.len().saturating_sub(1);
        let frames = chunks.iter().enumerate().map(|(index, fields)| {
            // All pieces but the last leave the count where it was.
            let seq = if index == last { seq } else { from };
            let comma = if fields.is_empty() { "" } else { "," };
            Frame::new(&format!(
                r#"{{"event":"resumed","epoch":"{epoch}","from":{from},"seq":{seq},"you":{you},"now":{now}{comma}{fields}}}"#
            ))
        });
        frames.collect::<Vec<_>>().into()
    }
}

/// An id in quotes, or null. Ids are made of letters, digits, _ and -: nothing in them needs escaping.
pub(crate) fn json_id(you: Option<UserId>) -> String {
    you.map_or_else(|| "null".to_owned(), |you| format!("\"{you}\""))
}

/// Cuts a difference into pieces that fit a frame each; there is at least one.
pub fn split(difference: Difference) -> Vec<Difference> {
    let fits = |difference: &Difference| upper_bound(difference) <= ROOM_FOR_ROWS_IN_BYTES;
    if fits(&difference) {
        return vec![difference];
    }
    let mut chunks = Chunks::default();
    for (reason, id) in difference.disconnect_user.iter() {
        chunks.open(ID_IN_BYTES).disconnect_user.group_mut(reason).push(*id);
    }
    for (state, ids) in difference.user_changed.states() {
        for id in ids {
            chunks.open(ID_IN_BYTES).user_changed.state_mut(state).push(*id);
        }
    }
    for renamed in difference.user_changed.renamed {
        chunks.open(as_json(&renamed).len() + 1).user_changed.renamed.push(renamed);
    }
    for user in difference.new_user {
        chunks.open(as_json(&user).len() + 1).new_user.push(user);
    }
    chunks.closed.push(chunks.current);
    chunks.closed
}

/// An id in quotes and a comma.
const ID_IN_BYTES: usize = UserId::LENGTH + 3;

#[derive(Default)]
struct Chunks {
    closed: Vec<Difference>,
    current: Difference,
    bytes: usize,
}

impl Chunks {
    /// The piece that has room for `bytes` more.
    fn open(&mut self, bytes: usize) -> &mut Difference {
        if self.bytes + bytes > ROOM_FOR_ROWS_IN_BYTES {
            self.closed.push(std::mem::take(&mut self.current));
            self.bytes = 0;
        }
        self.bytes += bytes;
        &mut self.current
    }
}

/// No less than the rows and ids of a difference take, without writing them.
fn upper_bound(difference: &Difference) -> usize {
    // A character takes at most six bytes in JSON (\u0000), and a number at most 20.
    const AROUND_A_NAME: usize = 100;
    let name = |name: &Name| {
        let look = name.skeleton().map_or(0, str::len);
        (name.as_str().len() + look) * 6 + AROUND_A_NAME
    };
    let stirred: usize = difference.user_changed.states().iter().map(|(_, ids)| ids.len()).sum();
    let ids = difference.disconnect_user.iter().count() + stirred;
    let renamed: usize =
        difference.user_changed.renamed.iter().map(|Renamed { name: new, .. }| name(new)).sum();
    let arrived: usize = difference.new_user.iter().map(|User { name: new, .. }| name(new)).sum();
    ids * ID_IN_BYTES + renamed + arrived
}

pub(crate) fn as_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| {
        // The wire types have no map keys or numbers that JSON can't write.
        tracing::error!(%error, "a frame could not be written");
        String::new()
    })
}

#[cfg(test)]
mod tests {
    use app::{
        client::Replica,
        presence::{Changes, Roster},
    };
    use proptest::prelude::*;

    use super::*;
    use crate::{
        encoding::snapshot_pages::EncodedList,
        presence::samples::{any_name, any_user, decode},
    };

    fn any_users() -> impl Strategy<Value = Vec<User>> {
        prop::collection::vec(any_name(), 0..120).prop_map(|names| {
            names.iter().enumerate().map(|(number, name)| any_user(number, name)).collect()
        })
    }

    /// What each row and id of a difference takes in JSON, with a comma, in the order in which it is cut.
    fn sizes(difference: &Difference) -> Vec<usize> {
        let ids = difference.disconnect_user.iter().map(|(_, id)| as_json(id));
        let states = difference.user_changed.states();
        let stirred = states.iter().flat_map(|(_, ids)| ids.iter().map(as_json));
        let renamed = difference.user_changed.renamed.iter().map(as_json);
        let arrived = difference.new_user.iter().map(as_json);
        ids.chain(stirred).chain(renamed).chain(arrived).map(|text| text.len() + 1).collect()
    }

    fn any_difference() -> impl Strategy<Value = Difference> {
        (any_users(), any_users(), 0..600_usize).prop_map(|(new_user, old, gone)| {
            let mut difference = Difference { new_user, ..Difference::default() };
            difference.user_changed.renamed =
                old.into_iter().map(|User { id, name, .. }| Renamed { id, name }).collect();
            for number in 0..gone {
                let id = any_user(number, "Kim").id;
                if number % 2 == 0 {
                    difference.disconnect_user.removed.push(id);
                } else {
                    difference.user_changed.here.push(id);
                }
            }
            difference
        })
    }

    fn replica_at(users: Vec<User>) -> Replica {
        let mut replica = Replica::default();
        let roster = Roster::from_users(users).unwrap();
        let list = EncodedList::new("e".parse().unwrap(), 5, &roster);
        for event in decode(&list.frames_for(None, 1)) {
            replica.receive(event).unwrap();
        }
        replica
    }

    proptest! {
        #[test]
        fn a_piece_is_as_full_as_it_may_be(difference in any_difference()) {
            let mut whole = Difference::default();
            let mut last = None;
            for piece in split(difference.clone()) {
                let sizes = sizes(&piece);
                let bytes: usize = sizes.iter().sum();
                prop_assert!(bytes <= ROOM_FOR_ROWS_IN_BYTES);
                if let (Some(last), Some(first)) = (last, sizes.first()) {
                    prop_assert!(last + first > ROOM_FOR_ROWS_IN_BYTES);
                }
                last = Some(bytes);
                whole.append(piece);
            }
            prop_assert_eq!(whole, difference);
        }

        /// What is sure to fit is not measured row by row: never less than it takes, nor much more.
        #[test]
        fn the_upper_bound_is_one_and_a_close_one_for_the_longest_rows(
            number in 0..40_usize,
            length in 1..200_usize,
        ) {
            let worst = |number| any_user(number, &"\u{1}".repeat(length));
            let users: Vec<User> = (0..number).map(worst).collect();
            let mut ids = Difference::default();
            ids.disconnect_user.left = users.iter().map(|user| user.id).collect();
            ids.user_changed.away = users.iter().skip(7).map(|user| user.id).collect();
            prop_assert_eq!(upper_bound(&ids), sizes(&ids).iter().sum::<usize>());

            let mut rows = Difference::default();
            rows.user_changed.renamed = users
                .iter()
                .skip(7)
                .map(|user| Renamed { id: user.id, name: user.name.clone() })
                .collect();
            rows.new_user = users;
            let bytes: usize = sizes(&rows).iter().sum();
            let more = upper_bound(&rows).checked_sub(bytes);
            prop_assert!(more.is_some_and(|more| more <= 2 * 64 * number), "{more:?}");
        }

        #[test]
        fn a_difference_of_any_length_comes_whole(old in any_users(), new in any_users()) {
            let mut difference = Difference {
                new_user: new
                    .into_iter()
                    .map(|user| User { id: format!("n{}", &user.id.as_str()[1..]).parse().unwrap(), ..user })
                    .collect(),
                ..Difference::default()
            };
            for (index, user) in old.iter().enumerate() {
                match index % 3 {
                    0 => difference.disconnect_user.lost.push(user.id),
                    1 => difference.user_changed.away.push(user.id),
                    _ => difference
                        .user_changed
                        .renamed
                        .push(Renamed { id: user.id, name: old[0].name.clone() }),
                }
            }
            let mut expected = Roster::from_users(old.clone()).unwrap();
            expected.apply(&difference).unwrap();

            let answer = EncodedResume::new("e".parse().unwrap(), 5, 6, difference.clone());
            let frames = answer.frames_for(old.first().map(|user| user.id), 99);
            prop_assert!(frames.remaining().all(|frame| frame.text().len() <= LONGEST_FRAME_IN_BYTES));
            let length: usize = frames.remaining().map(|frame| frame.text().len()).sum();
            prop_assert!(answer.size_in_bytes().abs_diff(length) <= 60 * frames.remaining().count());
            let mut back = replica_at(old.clone());
            back.disconnected();
            for event in decode(&frames) {
                prop_assert!(matches!(event, ServerEvent::Resumed(_)));
                back.receive(event).unwrap();
            }
            prop_assert_eq!(back.roster(), &expected);
            prop_assert_eq!(back.you(), old.first().map(|user| user.id));

            let mut replica = replica_at(old);
            let chunks = split(difference);
            let last = chunks.len() - 1;
            for (index, difference) in chunks.into_iter().enumerate() {
                let seq = if index == last { 6 } else { 5 };
                let frame = encode(&ServerEvent::Changes(Changes { from: 5, seq, difference }));
                let text = frame.text();
                prop_assert!(text.len() <= LONGEST_FRAME_IN_BYTES, "{}", text.len());
                replica.receive(serde_json::from_str(text).unwrap()).unwrap();
            }
            prop_assert_eq!(replica.roster(), &expected);
        }
    }

    #[test]
    fn every_piece_says_something() {
        let users: Vec<User> = (0..500).map(|number| any_user(number, "Kim")).collect();
        let chunks = split(Difference { new_user: users, ..Difference::default() });
        assert!(chunks.len() > 5);
        assert!(chunks.iter().all(|piece| !piece.is_empty()));
        assert_eq!(split(Difference::default()), [Difference::default()]);
        // Ids fill two frames to the last byte.
        let removed: Vec<UserId> = (0..512).map(|number| any_user(number, "Kim").id).collect();
        let mut difference = Difference::default();
        difference.disconnect_user.removed = removed;
        assert_eq!(split(difference).len(), 2);
    }
}
