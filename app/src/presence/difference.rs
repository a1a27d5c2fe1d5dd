//! The net changes of a list between two positions.

use serde::{Deserialize, Serialize};

use super::{Name, PresenceState, User, UserId};

/// The net changes between two positions, as they are sent.
///
/// The fields are applied in order: rows are removed, changed, added. A person who left and joined again
/// is in both the first and the last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Difference {
    /// Removed rows, grouped by the reason.
    #[serde(default, skip_serializing_if = "Departures::is_empty")]
    pub disconnect_user: Departures,
    /// Changed rows, grouped by the change.
    #[serde(default, skip_serializing_if = "Updates::is_empty")]
    pub user_changed: Updates,
    /// Added rows; they are appended to the list in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new_user: Vec<User>,
}

/// Removed rows, grouped by the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Departures {
    /// They sent `leave`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<UserId>,
    /// They closed their last page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<UserId>,
    /// Their connection broke and did not come back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<UserId>,
    /// The operator removed them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<UserId>,
}

/// Why a row was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DepartureReason {
    /// They sent `leave`.
    Left,
    /// They closed their last page.
    Closed,
    /// Their connection broke and did not come back.
    Lost,
    /// The operator removed them.
    Removed,
}

/// Changed rows, grouped by the change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Updates {
    /// Now [`PresenceState::Here`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub here: Vec<UserId>,
    /// Now [`PresenceState::Away`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub away: Vec<UserId>,
    /// Now [`PresenceState::Reconnecting`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reconnecting: Vec<UserId>,
    /// Under a new name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renamed: Vec<Renamed>,
}

/// A new name of an existing row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "WireRenamed", into = "WireRenamed")]
pub struct Renamed {
    /// The id of the row.
    pub id: UserId,
    /// The new name.
    pub name: Name,
}

/// [`Renamed`] on the wire, where the name's skeleton is a field of its own.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct WireRenamed {
    id: UserId,
    name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    look: Option<Name>,
}

impl From<WireRenamed> for Renamed {
    fn from(WireRenamed { id, name, look }: WireRenamed) -> Self {
        Self { id, name: name.with_wire_skeleton(look) }
    }
}

impl From<Renamed> for WireRenamed {
    fn from(Renamed { id, name }: Renamed) -> Self {
        let look = name.wire_skeleton();
        Self { id, name, look }
    }
}

impl Difference {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.disconnect_user.is_empty() && self.user_changed.is_empty() && self.new_user.is_empty()
    }

    /// Appends the next piece of a split difference.
    pub fn append(&mut self, piece: Self) {
        for (reason, ids) in piece.disconnect_user.into_groups() {
            self.disconnect_user.group_mut(reason).extend(ids);
        }
        for (state, ids) in piece.user_changed.states() {
            self.user_changed.state_mut(state).extend(ids);
        }
        self.user_changed.renamed.extend(piece.user_changed.renamed);
        self.new_user.extend(piece.new_user);
    }
}

impl Departures {
    /// Whether no row was removed.
    pub fn is_empty(&self) -> bool {
        self.groups().iter().all(|(_, ids)| ids.is_empty())
    }

    /// All removed rows with the reason, group by group.
    pub fn iter(&self) -> impl Iterator<Item = (DepartureReason, &UserId)> {
        self.groups().into_iter().flat_map(|(reason, ids)| ids.iter().map(move |id| (reason, id)))
    }

    /// The rows removed for `reason`.
    pub fn group_mut(&mut self, reason: DepartureReason) -> &mut Vec<UserId> {
        match reason {
            DepartureReason::Left => &mut self.left,
            DepartureReason::Closed => &mut self.closed,
            DepartureReason::Lost => &mut self.lost,
            DepartureReason::Removed => &mut self.removed,
        }
    }

    fn groups(&self) -> [(DepartureReason, &Vec<UserId>); 4] {
        [
            (DepartureReason::Left, &self.left),
            (DepartureReason::Closed, &self.closed),
            (DepartureReason::Lost, &self.lost),
            (DepartureReason::Removed, &self.removed),
        ]
    }

    fn into_groups(self) -> [(DepartureReason, Vec<UserId>); 4] {
        [
            (DepartureReason::Left, self.left),
            (DepartureReason::Closed, self.closed),
            (DepartureReason::Lost, self.lost),
            (DepartureReason::Removed, self.removed),
        ]
    }
}

impl Updates {
    /// Whether no row changed.
    pub fn is_empty(&self) -> bool {
        self.renamed.is_empty() && self.states().iter().all(|(_, ids)| ids.is_empty())
    }

    /// The rows whose state changed, by their new state.
    pub fn states(&self) -> [(PresenceState, &Vec<UserId>); 3] {
        [
            (PresenceState::Here, &self.here),
            (PresenceState::Away, &self.away),
            (PresenceState::Reconnecting, &self.reconnecting),
        ]
    }

    /// The rows that are now in `state`.
    pub fn state_mut(&mut self, state: PresenceState) -> &mut Vec<UserId> {
        match state {
            PresenceState::Here => &mut self.here,
            PresenceState::Away => &mut self.away,
            PresenceState::Reconnecting => &mut self.reconnecting,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A difference with one change, built field by field.
    fn any_piece() -> impl Strategy<Value = Difference> {
        (0..9_u8, 0..40_u8).prop_map(|(field, number)| {
            let id: UserId = format!("user-----{number:02}").parse().unwrap();
            let name = Name::parse("Kim").unwrap();
            let mut piece = Difference::default();
            match field {
                0 => piece.disconnect_user.left.push(id),
                1 => piece.disconnect_user.closed.push(id),
                2 => piece.disconnect_user.lost.push(id),
                3 => piece.disconnect_user.removed.push(id),
                4 => piece.user_changed.here.push(id),
                5 => piece.user_changed.away.push(id),
                6 => piece.user_changed.reconnecting.push(id),
                7 => piece.user_changed.renamed.push(Renamed { id, name }),
                _ => {
                    let state = PresenceState::Here;
                    piece.new_user.push(User { id, name, joined: 1, state });
                }
            }
            piece
        })
    }

    fn together(pieces: &[Difference]) -> Difference {
        let mut whole = Difference::default();
        for piece in pieces {
            whole.append(piece.clone());
        }
        whole
    }

    /// The ids in one group of a difference, read from its wire format.
    fn ids_in(difference: &Difference, field: &str, group: Option<&str>) -> Vec<String> {
        let json = serde_json::to_value(difference).unwrap();
        let values = group.map_or(&json[field], |group| &json[field][group]);
        let id_of = |value: &serde_json::Value| {
            value.as_str().or_else(|| value["id"].as_str()).unwrap().to_owned()
        };
        values.as_array().into_iter().flatten().map(id_of).collect()
    }

    const GROUPS: [(&str, Option<&str>); 9] = [
        ("disconnect_user", Some("left")),
        ("disconnect_user", Some("closed")),
        ("disconnect_user", Some("lost")),
        ("disconnect_user", Some("removed")),
        ("user_changed", Some("here")),
        ("user_changed", Some("away")),
        ("user_changed", Some("reconnecting")),
        ("user_changed", Some("renamed")),
        ("new_user", None),
    ];

    proptest! {
        /// Appending pieces loses, doubles and moves nothing.
        #[test]
        fn appended_pieces_have_the_changes_of_each(
            pieces in prop::collection::vec(any_piece(), 0..20),
            cut in any::<prop::sample::Index>(),
        ) {
            let whole = together(&pieces);
            for (field, group) in GROUPS {
                let each = pieces.iter().flat_map(|piece| ids_in(piece, field, group));
                prop_assert_eq!(ids_in(&whole, field, group), each.collect::<Vec<_>>());
            }
            prop_assert_eq!(whole.is_empty(), pieces.is_empty());
            let (first, second) = pieces.split_at(cut.index(pieces.len() + 1));
            prop_assert_eq!(together(&[together(first), together(second)]), whole);
        }
    }
}
