//! Events as frames of at most 4 KiB; longer differences are split.

use app::presence::{Difference, Epoch, Name, Renamed, ServerEvent, User, UserId};
use serde::Serialize;

use super::{
    frame::{Batch, Frame},
    server_build::build_field,
};

/// The longest text of a frame, in both directions.
pub const LONGEST_FRAME_IN_BYTES: usize = 4096;

/// The most that a frame takes without its rows and ids: names of fields, and numbers.
const ENVELOPE_IN_BYTES: usize = 512;

pub(crate) const ROOM_FOR_ROWS_IN_BYTES: usize = LONGEST_FRAME_IN_BYTES - ENVELOPE_IN_BYTES;

/// An event of the server as a frame.
pub fn encode(event: &ServerEvent) -> Frame {
    Frame::new(&as_json(event))
}

/// A `resumed` reply, encoded once for all clients that come back from `from`.
#[derive(Clone, Debug)]
pub struct EncodedResume {
    epoch: Epoch,
    from: u64,
    seq: u64,
    /// The fields of the difference, one text for each frame. The fields around them differ by reader.
    chunks: Vec<String>,
}

impl EncodedResume {
    /// Encodes the difference from `from` to `seq`.
    pub fn new(epoch: Epoch, from: u64, seq: u64, difference: Difference) -> Self {
        let fields = |chunk: &Difference| {
            let object = as_json(chunk);
            let inside = object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            inside.unwrap_or_default().to_owned()
        };
        Self { epoch, from, seq, chunks: split(difference).iter().map(fields).collect() }
    }

    /// About the size on the wire.
    pub fn size_in_bytes(&self) -> usize {
        // The other fields of a frame.
        const ENVELOPE_IN_BYTES: usize = 120;
        self.chunks.iter().map(|fields| fields.len() + ENVELOPE_IN_BYTES).sum()
    }

    /// The frames for one reader; `now` is in milliseconds since the Unix epoch.
    pub fn frames_for(&self, viewer: Option<UserId>, now: u64) -> Batch {
        let Self { epoch, from, seq, chunks } = self;
        let you = json_id(viewer);
        let build = build_field();
        let last = chunks.len().saturating_sub(1);
        let frames = chunks.iter().enumerate().map(|(index, fields)| {
            // Until the last frame has arrived, the reader's position is the old one.
            let seq = if index == last { seq } else { from };
            let comma = if fields.is_empty() { "" } else { "," };
            Frame::new(&format!(
                r#"{{"event":"resumed","epoch":"{epoch}","from":{from},"seq":{seq},"you":{you},"now":{now}{build}{comma}{fields}}}"#
            ))
        });
        frames.collect::<Vec<_>>().into()
    }
}

/// An id as JSON, or null. Ids consist of letters, digits, _ and -, which need no escaping.
pub(crate) fn json_id(id: Option<UserId>) -> String {
    id.map_or_else(|| "null".to_owned(), |id| format!("\"{id}\""))
}

/// Splits a difference into chunks that fit a frame each. There is at least one.
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
    /// The chunk with room for `bytes` more.
    fn open(&mut self, bytes: usize) -> &mut Difference {
        if self.bytes + bytes > ROOM_FOR_ROWS_IN_BYTES {
            self.closed.push(std::mem::take(&mut self.current));
            self.bytes = 0;
        }
        self.bytes += bytes;
        &mut self.current
    }
}

/// An upper bound of the size of all rows and ids, without encoding them.
fn upper_bound(difference: &Difference) -> usize {
    // The other fields of a row. A byte of text takes at most six in JSON (\u0000), a number at most 20.
    const ROW_IN_BYTES: usize = 100;
    let name = |name: &Name| {
        let skeleton = name.skeleton().map_or(0, str::len);
        (name.as_str().len() + skeleton) * 6 + ROW_IN_BYTES
    };
    let states: usize = difference.user_changed.states().iter().map(|(_, ids)| ids.len()).sum();
    let ids = difference.disconnect_user.iter().count() + states;
    let renamed: usize =
        difference.user_changed.renamed.iter().map(|Renamed { name: new, .. }| name(new)).sum();
    let added: usize = difference.new_user.iter().map(|User { name: new, .. }| name(new)).sum();
    ids * ID_IN_BYTES + renamed + added
}

pub(crate) fn as_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| {
        // Unreachable: JSON can represent all values of the wire types.
        tracing::error!(%error, "a frame could not be encoded");
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

    /// The size of each row and id in JSON, with a comma, in the order of splitting.
    fn sizes(difference: &Difference) -> Vec<usize> {
        let ids = difference.disconnect_user.iter().map(|(_, id)| as_json(id));
        let states = difference.user_changed.states();
        let states = states.iter().flat_map(|(_, ids)| ids.iter().map(as_json));
        let renamed = difference.user_changed.renamed.iter().map(as_json);
        let added = difference.new_user.iter().map(as_json);
        ids.chain(states).chain(renamed).chain(added).map(|text| text.len() + 1).collect()
    }

    fn any_difference() -> impl Strategy<Value = Difference> {
        (any_users(), any_users(), 0..600_usize).prop_map(|(new_user, old, ids)| {
            let mut difference = Difference { new_user, ..Difference::default() };
            difference.user_changed.renamed =
                old.into_iter().map(|User { id, name, .. }| Renamed { id, name }).collect();
            for number in 0..ids {
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
        fn chunk_is_closed_only_when_the_next_row_does_not_fit(difference in any_difference()) {
            let mut whole = Difference::default();
            let mut last = None;
            for chunk in split(difference.clone()) {
                let sizes = sizes(&chunk);
                let bytes: usize = sizes.iter().sum();
                prop_assert!(bytes <= ROOM_FOR_ROWS_IN_BYTES);
                if let (Some(last), Some(first)) = (last, sizes.first()) {
                    prop_assert!(last + first > ROOM_FOR_ROWS_IN_BYTES);
                }
                last = Some(bytes);
                whole.append(chunk);
            }
            prop_assert_eq!(whole, difference);
        }

        /// A loose bound would split differences that fit a frame.
        #[test]
        fn upper_bound_holds_and_is_close_for_the_longest_rows(
            number in 0..40_usize,
            length in 1..200_usize,
        ) {
            let longest = |number| any_user(number, &"\u{1}".repeat(length));
            let users: Vec<User> = (0..number).map(longest).collect();
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
            let excess = upper_bound(&rows).checked_sub(bytes);
            prop_assert!(excess.is_some_and(|excess| excess <= 2 * 64 * number), "{excess:?}");
        }

        #[test]
        fn difference_of_any_length_arrives_completely(old in any_users(), new in any_users()) {
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

            let resume = EncodedResume::new("e".parse().unwrap(), 5, 6, difference.clone());
            let frames = resume.frames_for(old.first().map(|user| user.id), 99);
            prop_assert!(frames.remaining().all(|frame| frame.text().len() <= LONGEST_FRAME_IN_BYTES));
            let length: usize = frames.remaining().map(|frame| frame.text().len()).sum();
            prop_assert!(resume.size_in_bytes().abs_diff(length) <= 60 * frames.remaining().count());
            let mut resumed = replica_at(old.clone());
            resumed.disconnected();
            for event in decode(&frames) {
                prop_assert!(matches!(event, ServerEvent::Resumed(_)));
                resumed.receive(event).unwrap();
            }
            prop_assert_eq!(resumed.roster(), &expected);
            prop_assert_eq!(resumed.you(), old.first().map(|user| user.id));

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
    fn upper_bound_counts_the_skeletons_of_names() {
        let with_skeleton = |user: User| {
            let name = user.name.with_skeleton(Some(&"\u{1}".repeat(90)));
            User { name, ..user }
        };
        let users: Vec<User> =
            (0..3).map(|number| with_skeleton(any_user(number, "Kim"))).collect();
        let difference = Difference { new_user: users, ..Difference::default() };
        let bytes: usize = sizes(&difference).iter().sum();
        assert!(upper_bound(&difference) >= bytes, "{} < {bytes}", upper_bound(&difference));
    }

    #[test]
    fn no_chunk_of_a_difference_is_empty() {
        let users: Vec<User> = (0..500).map(|number| any_user(number, "Kim")).collect();
        let chunks = split(Difference { new_user: users, ..Difference::default() });
        assert!(chunks.len() > 5);
        assert!(chunks.iter().all(|chunk| !chunk.is_empty()));
        assert_eq!(split(Difference::default()), [Difference::default()]);
        // These ids fill exactly two frames.
        let removed: Vec<UserId> = (0..512).map(|number| any_user(number, "Kim").id).collect();
        let mut difference = Difference::default();
        difference.disconnect_user.removed = removed;
        assert_eq!(split(difference).len(), 2);
    }
}
