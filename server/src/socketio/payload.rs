//! What clients of Socket.IO are sent: each event as JSON, `["name",argument]`. Pure.

use app::presence::{DepartureReason, PresenceState, Refusal, User, UserId};
use serde::Serialize;

use super::packet::json;

/// A person's row.
#[derive(Debug, Serialize)]
struct Row<'row> {
    id: &'row UserId,
    /// The same: the original design's script knows rows by this name.
    session_id: &'row UserId,
    name: &'row str,
    /// In whole seconds since the Unix epoch.
    joined: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<PresenceState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    look: Option<&'row str>,
    /// Another application vouches for this person.
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<bool>,
    /// The name once more, in `new_user` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    new_user_name: Option<&'row str>,
}

impl<'row> Row<'row> {
    fn of(user: &'row User) -> Self {
        Self {
            id: &user.id,
            session_id: &user.id,
            name: user.name.as_str(),
            joined: user.joined,
            state: Some(user.state).filter(|state| *state != PresenceState::Here),
            look: user.name.skeleton(),
            verified: user.id.is_verified().then_some(true),
            new_user_name: None,
        }
    }
}

/// Somebody is listed from now on.
pub(super) fn new_user(user: &User) -> String {
    let row = Row { new_user_name: Some(user.name.as_str()), ..Row::of(user) };
    json(&("new_user", row))
}

/// The name or the state of a row has changed.
pub(super) fn user_changed(user: &User) -> String {
    json(&("user_changed", Row::of(user)))
}

/// The whole list, in order of arrival.
pub(super) fn existing_users<'row>(users: impl IntoIterator<Item = &'row User>) -> String {
    let rows: Vec<Row<'_>> = users.into_iter().map(Row::of).collect();
    json(&("existing_users", rows))
}

/// Somebody is no longer listed. Two events with one argument: the original design sends the first, and its script
/// listens to the second.
pub(super) fn departure(id: UserId, name: &str, reason: DepartureReason) -> [String; 2] {
    #[derive(Serialize)]
    struct Departure<'name> {
        id: UserId,
        session_id: UserId,
        name: &'name str,
        reason: DepartureReason,
    }
    let departure = Departure { id, session_id: id, name, reason };
    ["disconnect_user", "disconnected_user"].map(|event| json(&(event, &departure)))
}

/// A request was not accepted, and nothing changed.
pub(super) fn refused(refusal: &Refusal) -> String {
    json(&("refused", refusal))
}

/// The answer to a request that was accepted.
#[derive(Debug, Serialize)]
pub(super) struct Accepted<'name> {
    ok: bool,
    you: UserId,
    /// The own name on the list; null while not listed.
    name: Option<&'name str>,
    /// How many rows the list has.
    count: usize,
}

impl<'name> Accepted<'name> {
    pub(super) fn new(you: UserId, name: Option<&'name str>, count: usize) -> Self {
        Self { ok: true, you, name, count }
    }
}

/// The answer to a request that was refused.
#[derive(Debug, Serialize)]
pub(super) struct Refused<'refusal> {
    ok: bool,
    #[serde(flatten)]
    refusal: &'refusal Refusal,
}

impl<'refusal> Refused<'refusal> {
    pub(super) fn new(refusal: &'refusal Refusal) -> Self {
        Self { ok: false, refusal }
    }
}

#[cfg(test)]
mod tests {
    use app::presence::{Name, RefusalCode};
    use serde_json::{Value, json};

    use super::*;

    fn user(state: PresenceState, look: Option<&str>) -> User {
        let name = Name::parse("Zoë \"Z\"").unwrap().with_skeleton(look);
        User { id: "uZ3kQ0a1b2c".parse().unwrap(), name, joined: 1_795_421_000, state }
    }

    fn read(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn rows_have_the_fields_of_the_contract() {
        let id = "uZ3kQ0a1b2c";
        let name = "Zoë \"Z\"";
        let row = json!({ "id": id, "session_id": id, "name": name, "joined": 1_795_421_000 });
        let here = user(PresenceState::Here, None);
        assert_eq!(read(&existing_users([&here])), json!(["existing_users", [row]]));
        let mut new = row.clone();
        new["new_user_name"] = json!(name);
        assert_eq!(read(&new_user(&here)), json!(["new_user", new]));
        let mut changed = row;
        changed["state"] = json!("away");
        changed["look"] = json!("zoe");
        let away = user(PresenceState::Away, Some("zoe"));
        assert_eq!(read(&user_changed(&away)), json!(["user_changed", changed]));
        assert_eq!(read(&existing_users([])), json!(["existing_users", []]));
    }

    #[test]
    fn departure_is_sent_under_both_names() {
        let id = "uZ3kQ0a1b2c";
        let argument = json!({ "id": id, "session_id": id, "name": "Ana", "reason": "closed" });
        let sent = departure(id.parse().unwrap(), "Ana", DepartureReason::Closed);
        assert_eq!(read(&sent[0]), json!(["disconnect_user", argument]));
        assert_eq!(read(&sent[1]), json!(["disconnected_user", argument]));
    }

    #[test]
    fn answers_say_whether_a_request_was_accepted() {
        let you = "uZ3kQ0a1b2c".parse().unwrap();
        let accepted = super::super::packet::json(&Accepted::new(you, Some("Ana"), 3));
        let expected = json!({ "ok": true, "you": "uZ3kQ0a1b2c", "name": "Ana", "count": 3 });
        assert_eq!(read(&accepted), expected);
        let refusal = Refusal {
            of: Some("rename".into()),
            code: RefusalCode::NameEmpty,
            message: "Enter your name.".into(),
        };
        let body = json!({ "of": "rename", "code": "name_empty", "message": "Enter your name." });
        assert_eq!(read(&refused(&refusal)), json!(["refused", body]));
        let mut answer = body;
        answer["ok"] = json!(false);
        assert_eq!(read(&super::super::packet::json(&Refused::new(&refusal))), answer);
    }
}
