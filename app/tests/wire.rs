//! Properties of the wire types: they survive a round trip, and no text makes them panic.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests fail by panicking, and print what they measured"
)]

use app::presence::{
    Beat, Changes, ClientEvent, Difference, Epoch, ExistingUsers, MoreUsers, Name, PresenceState,
    Refusal, RefusalCode, Renamed, Resumed, Roster, ServerEvent, Since, TabId, User, UserId,
};
use proptest::prelude::*;

const ANY_ID: &str = "[A-Za-z0-9_-]{11}";

fn any_id() -> impl Strategy<Value = UserId> {
    id_matching(ANY_ID)
}

fn id_matching(pattern: &'static str) -> impl Strategy<Value = UserId> {
    pattern.prop_map(|text| text.parse().unwrap())
}

fn any_name() -> impl Strategy<Value = Name> {
    any::<String>().prop_filter_map("not a name", |text| Name::parse(&text).ok())
}

fn any_state() -> impl Strategy<Value = PresenceState> {
    prop_oneof![
        Just(PresenceState::Here),
        Just(PresenceState::Away),
        Just(PresenceState::Reconnecting)
    ]
}

fn any_user() -> impl Strategy<Value = User> {
    (any_id(), any_name(), 0..u64::MAX, any_state()).prop_map(|(id, name, joined, state)| User {
        id,
        name,
        joined,
        state,
    })
}

fn any_epoch() -> impl Strategy<Value = Epoch> {
    "[A-Za-z0-9_-]{1,32}".prop_map(|text| text.parse().unwrap())
}

fn any_difference(id_pattern: &'static str) -> impl Strategy<Value = Difference> {
    let ids = move || prop::collection::vec(id_matching(id_pattern), 0..3);
    let renamed = (id_matching(id_pattern), any_name()).prop_map(|(id, name)| Renamed { id, name });
    let user = (any_user(), id_matching(id_pattern)).prop_map(|(user, id)| User { id, ..user });
    let users = prop::collection::vec(user, 0..3);
    (ids(), ids(), ids(), ids(), prop::collection::vec(renamed, 0..3), users).prop_map(
        |(left, lost, away, here, renamed, new_user)| {
            let mut difference = Difference { new_user, ..Difference::default() };
            difference.disconnect_user.left = left;
            difference.disconnect_user.lost = lost;
            difference.user_changed.away = away;
            difference.user_changed.here = here;
            difference.user_changed.renamed = renamed;
            difference
        },
    )
}

fn any_server_event() -> impl Strategy<Value = ServerEvent> {
    let you = || prop::option::of(any_id());
    let users = || prop::collection::vec(any_user(), 0..4);
    let seq = || 0..(1_u64 << 53);
    prop_oneof![
        (any_epoch(), seq(), you(), seq(), users()).prop_map(|(epoch, seq, you, now, users)| {
            let count = users.len();
            ServerEvent::ExistingUsers(ExistingUsers { epoch, seq, you, now, count, users })
        }),
        users().prop_map(|users| ServerEvent::MoreUsers(MoreUsers { users })),
        (any_epoch(), seq(), you(), any_difference(ANY_ID)).prop_map(
            |(epoch, seq, you, difference)| {
                ServerEvent::Resumed(Resumed { epoch, from: seq, seq, you, now: 1, difference })
            }
        ),
        (seq(), seq(), any_difference(ANY_ID)).prop_map(|(from, seq, difference)| {
            ServerEvent::Changes(Changes { from, seq, difference })
        }),
        (seq(), users()).prop_map(|(seq, users)| {
            let digest = users
                .into_iter()
                .fold(app::presence::Digest::default(), |digest, user| digest.with(&user));
            ServerEvent::Beat(Beat { seq, count: 3, digest, now: 5, as_of: None })
        }),
        any::<String>().prop_map(|message| ServerEvent::Refused(Refusal {
            of: Some("rename".into()),
            code: RefusalCode::NotListed,
            message: message.into(),
        })),
    ]
}

fn any_client_event() -> impl Strategy<Value = ClientEvent> {
    let since = || {
        prop::option::of((any_epoch(), any::<u64>()).prop_map(|(epoch, seq)| Since { epoch, seq }))
    };
    let tab =
        prop::option::of("[A-Za-z0-9_-]{1,64}".prop_map(|text| text.parse::<TabId>().unwrap()));
    prop_oneof![
        since().prop_map(|since| ClientEvent::Watch { since }),
        (any::<String>(), tab, any::<Option<bool>>(), since()).prop_map(
            |(name, tab, visible, since)| ClientEvent::GotANewUser { name, tab, visible, since }
        ),
        any::<String>().prop_map(|name| ClientEvent::Rename { name }),
        any::<bool>().prop_map(|visible| ClientEvent::Visible { visible }),
        Just(ClientEvent::Leave {}),
        Just(ClientEvent::Resync {}),
    ]
}

proptest! {
    #[test]
    fn a_server_frame_is_read_as_it_was_written(event in any_server_event()) {
        let text = serde_json::to_string(&event).unwrap();
        prop_assert_eq!(serde_json::from_str::<ServerEvent>(&text).unwrap(), event);
    }

    #[test]
    fn a_client_frame_is_read_as_it_was_written(event in any_client_event()) {
        let text = serde_json::to_string(&event).unwrap();
        prop_assert_eq!(serde_json::from_str::<ClientEvent>(&text).unwrap(), event);
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>(), json in "[\\[\\]{}\",:a-z0-9_ ]{0,80}") {
        for text in [text, json] {
            let _ = serde_json::from_str::<ServerEvent>(&text);
            let _ = serde_json::from_str::<ClientEvent>(&text);
            let _ = text.parse::<Epoch>();
            let _ = Name::parse(&text);
        }
    }

    #[test]
    fn arbitrary_differences_never_panic(
        differences in prop::collection::vec(any_difference("AAAAAAAAAA[A-L]"), 0..40),
    ) {
        let mut roster = Roster::default();
        for difference in differences {
            let _ = roster.apply(&difference);
        }
    }
}

#[test]
fn an_invalid_since_counts_as_absent() {
    for since in [
        "null",
        "5",
        r#""x""#,
        "{}",
        "[]",
        r#"{"epoch":"a b","seq":1}"#,
        r#"{"epoch":"e","seq":"many"}"#,
        r#"{"epoch":"e","seq":-1}"#,
        r#"{"epoch":"e","seq":1.5}"#,
    ] {
        let frame = format!(r#"{{"event":"watch","since":{since}}}"#);
        let event = serde_json::from_str::<ClientEvent>(&frame).unwrap();
        assert_eq!(event, ClientEvent::Watch { since: None }, "{since}");
    }
}

#[test]
fn unknown_events_fields_and_codes_are_ignored() {
    let event = r#"{"event":"weather","sunny":true}"#;
    assert_eq!(serde_json::from_str::<ServerEvent>(event).unwrap(), ServerEvent::Unknown);
    let event = r#"{"event":"leave","why":"late"}"#;
    assert_eq!(serde_json::from_str::<ClientEvent>(event).unwrap(), ClientEvent::Leave {});
    let event = r#"{"event":"refused","code":"moon_phase","message":"No.","of":null}"#;
    let Ok(ServerEvent::Refused(refusal)) = serde_json::from_str(event) else {
        panic!("a refusal with a new code is a refusal")
    };
    assert_eq!(refusal.code, RefusalCode::Unknown);
}
