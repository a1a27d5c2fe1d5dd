//! Tokens that the package `jose` made, and those that have to be refused: `vectors/make.mjs` writes both.

use std::collections::{BTreeMap, BTreeSet};

use app::presence::RoomName;
use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::tokens::{Algorithm, Capability, KeyId};

#[derive(Deserialize)]
struct Vectors {
    now: u64,
    secret: String,
    other_secret: String,
    public_key: String,
    accepted: BTreeMap<String, String>,
    refused: BTreeMap<String, Refused>,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
    token: String,
}

impl Vectors {
    fn read() -> Self {
        serde_json::from_str(include_str!("../vectors/vectors.json")).unwrap()
    }

    fn keys(&self) -> Vec<TokenKey> {
        let id = |text: &str| text.parse::<KeyId>().unwrap();
        let key = |text, algorithm, content: &str| {
            TokenKey::parse(id(text), algorithm, content.as_bytes()).unwrap()
        };
        let of_app = key("ed-of-app", Algorithm::EdDsa, &self.public_key).for_parties(
            Some("https://app.example".into()),
            Some("https://rollcall.example".into()),
        );
        vec![
            key("hs", Algorithm::Hs256, &self.secret),
            key("hs-2", Algorithm::Hs256, &self.other_secret),
            key("ed", Algorithm::EdDsa, &self.public_key),
            of_app,
        ]
    }
}

#[test]
fn tokens_of_jose_are_accepted() {
    let vectors = Vectors::read();
    let keys = vectors.keys();
    assert_eq!(vectors.accepted.len(), 9);
    for (name, token) in &vectors.accepted {
        let claims = verify(token, &keys, vectors.now);
        assert_eq!(claims.as_ref().map(|claims| &*claims.subject), Ok("user-7"), "{name}");
    }
    let needed =
        verify(&vectors.accepted["EdDSA with what is needed"], &keys, vectors.now).unwrap();
    assert_eq!((needed.issuer, needed.name, needed.info), (None, None, None));
    assert_eq!(needed.expires, vectors.now + 3_600);
    assert!(needed.rooms.contains(&RoomName::lobby()));
    assert_eq!(needed.can, BTreeSet::from([Capability::Watch, Capability::Join]));
    let every = verify(&vectors.accepted["every claim"], &keys, vectors.now).unwrap();
    assert_eq!(every.issuer.as_deref(), Some("https://app.example"));
    assert_eq!(every.name.unwrap().as_str(), "Ana Lima");
    assert_eq!(every.can, BTreeSet::from(Capability::ALL));
    assert_eq!(every.rooms.patterns().collect::<Vec<_>>(), ["lobby", "team-*"]);
    assert_eq!(every.info.as_deref(), Some(r#"{"desk":[1,null],"team":"Blue"}"#));
}

#[test]
fn every_other_token_is_refused_for_its_reason() {
    let vectors = Vectors::read();
    let keys = vectors.keys();
    assert_eq!(vectors.refused.len(), 58);
    for (name, Refused { error, token }) in &vectors.refused {
        let refused = verify(token, &keys, vectors.now).unwrap_err();
        assert_eq!(&format!("{refused:?}"), error, "{name}");
        assert!(refused.to_string().len() <= 123, "{refused}");
    }
}

#[test]
fn token_is_refused_without_its_key() {
    let vectors = Vectors::read();
    let token = &vectors.accepted["HS256 with what is needed"];
    let others: Vec<_> = vectors.keys().into_iter().filter(|key| key.id() != "hs").collect();
    assert_eq!(verify(token, &others, vectors.now), Err(TokenError::UnknownKey));
    assert_eq!(verify(token, &[], vectors.now), Err(TokenError::UnknownKey));
}

proptest! {
    /// Each character counts: there is one spelling of a token.
    #[test]
    fn changed_token_is_refused(
        is_eddsa: bool,
        at in any::<prop::sample::Index>(),
        character in "[A-Za-z0-9_.=+/-]",
    ) {
        let vectors = Vectors::read();
        let algorithm = if is_eddsa { "EdDSA" } else { "HS256" };
        let token = &vectors.accepted[&format!("{algorithm} with what is needed")];
        let at = at.index(token.len());
        let changed = format!("{}{character}{}", &token[..at], &token[at + 1..]);
        prop_assume!(changed != *token);
        prop_assert!(verify(&changed, &vectors.keys(), vectors.now).is_err());
    }

    #[test]
    fn text_never_panics(text in "[ -~]{0,40}|([A-Za-z0-9_-]{0,20}\\.){0,3}", now: u64) {
        prop_assert!(verify(&text, &Vectors::read().keys(), now).is_err());
    }
}
