//! What the scripts answer, as the types of [`registry::replication::engine`].
//!
//! An answer of another shape is an error: the engine runs other scripts than these, or somebody has written to its
//! keys by hand.

use std::time::Duration;

use redis::Value;
use serde::de::DeserializeOwned;

use registry::{
    presence::{
        entry::{Entry, Pause, Position},
        server_id::ServerId,
    },
    replication::engine::{
        Appended, Begun, EngineError, EntryTime, LeaseTime, Leases, Opened, SharedConfig,
    },
};

use super::shared_config;

type Answer<T> = Result<T, EngineError>;

/// `['ok', n, now]`, `['early', wait]`, or a word alone. The nonce is the one that was sent.
pub(super) fn appended(answer: &Value, nonce: u64) -> Answer<Appended> {
    let items = list(answer)?;
    Ok(match word(items)? {
        "ok" => Appended::Done(EntryTime {
            position: Position { number: number(item(items, 1)?)?, nonce },
            moment: milliseconds(item(items, 2)?)?,
        }),
        "early" => Appended::Early(milliseconds(item(items, 1)?)?),
        "past" => Appended::Past,
        "diverged" => Appended::Diverged,
        "missing" => Appended::Missing,
        other => return Err(unknown(other)),
    })
}

/// `['none', now]`, `['more', now, entries]`, or `['whole', now, [n, r, t, state], entries]`.
pub(super) fn opened(answer: &Value) -> Answer<Opened> {
    let items = list(answer)?;
    Ok(match word(items)? {
        "none" => Opened::Absent,
        "more" => {
            Opened::More { now: milliseconds(item(items, 1)?)?, entries: entries(item(items, 2)?)? }
        }
        "whole" => {
            let kept = list(item(items, 2)?)?;
            Opened::Whole {
                now: milliseconds(item(items, 1)?)?,
                at: EntryTime {
                    position: Position {
                        number: number(item(kept, 0)?)?,
                        nonce: number(item(kept, 1)?)?,
                    },
                    moment: milliseconds(item(kept, 2)?)?,
                },
                snapshot: json(bytes(item(kept, 3)?)?)?,
                entries: entries(item(items, 3)?)?,
            }
        }
        other => return Err(unknown(other)),
    })
}

/// `['ok', now, pause, live, expired]`, or `['lost', now]`.
pub(super) fn renewed(answer: &Value) -> Answer<Option<Leases>> {
    let items = list(answer)?;
    match word(items)? {
        "ok" => leases(items).map(Some),
        "lost" => Ok(None),
        other => Err(unknown(other)),
    }
}

/// `['ok', now, pause, live, expired]`, `['taken', now]`, or `['mismatch', now, config]`.
pub(super) fn begun(answer: &Value) -> Answer<Begun> {
    let items = list(answer)?;
    Ok(match word(items)? {
        "ok" => Begun::Begun(leases(items)?),
        "taken" => Begun::Taken,
        "mismatch" => Begun::Mismatch(config(item(items, 2)?)?),
        other => return Err(unknown(other)),
    })
}

/// A published entry: its number, its nonce, the nonce before, its time and its batch, with blanks in between.
pub(super) fn published(message: &[u8]) -> Answer<(u64, Entry)> {
    let mut parts = message.splitn(5, |byte| *byte == b' ');
    let mut part = || parts.next().ok_or_else(|| unknown("a message without a batch"));
    let (number, nonce, previous_nonce, moment, batch) =
        (decimal(part()?)?, decimal(part()?)?, decimal(part()?)?, decimal(part()?)?, part()?);
    let position = Position { number, nonce };
    let entry = Entry { position, moment: Duration::from_millis(moment), batch: json(batch)? };
    Ok((previous_nonce, entry))
}

/// Entries of a stream, each as `['n-r', ['p', nonce, 't', time, 'b', batch]]`.
fn entries(answer: &Value) -> Answer<Vec<Entry>> {
    list(answer)?
        .iter()
        .map(|entry| {
            let entry = list(entry)?;
            let (id, fields) = (text(item(entry, 0)?)?, list(item(entry, 1)?)?);
            let (number, nonce) = id.split_once('-').ok_or_else(|| unknown(id))?;
            let position =
                Position { number: decimal(number.as_bytes())?, nonce: decimal(nonce.as_bytes())? };
            let field = |name: &str| {
                let mut pairs = fields.chunks_exact(2);
                let pair =
                    pairs.find(|pair| bytes(&pair[0]).is_ok_and(|key| key == name.as_bytes()));
                pair.map(|pair| &pair[1]).ok_or_else(|| unknown("an entry without its fields"))
            };
            Ok(Entry {
                position,
                moment: milliseconds(field("t")?)?,
                batch: json(bytes(field("b")?)?)?,
            })
        })
        .collect()
}

fn leases(items: &[Value]) -> Answer<Leases> {
    let pause = match text(item(items, 2)?)? {
        "" => None,
        pause => {
            let (id, lasted) = pause.split_once(' ').ok_or_else(|| unknown(pause))?;
            let lasted = Duration::from_millis(decimal(lasted.as_bytes())?);
            Some(Pause { id: decimal(id.as_bytes())?, lasted })
        }
    };
    let expired = list(item(items, 4)?)?.chunks_exact(2);
    Ok(Leases {
        now: LeaseTime::from_millis(number(item(items, 1)?)?),
        pause,
        live: list(item(items, 3)?)?.iter().map(server).collect::<Answer<_>>()?,
        expired: expired
            .map(|pair| Ok((server(&pair[0])?, LeaseTime::from_millis(number(&pair[1])?))))
            .collect::<Answer<_>>()?,
    })
}

fn config(answer: &Value) -> Answer<SharedConfig> {
    let text = text(answer)?;
    shared_config::parse(text).ok_or_else(|| unknown(text))
}

fn server(answer: &Value) -> Answer<ServerId> {
    let number = u32::try_from(number(answer)?).ok();
    number
        .and_then(|number| ServerId::try_from(number).ok())
        .ok_or_else(|| unknown("a server's id"))
}

fn word(items: &[Value]) -> Answer<&str> {
    text(item(items, 0)?)
}

fn list(value: &Value) -> Answer<&[Value]> {
    value.as_sequence().ok_or_else(|| unknown("no list"))
}

fn item(items: &[Value], index: usize) -> Answer<&Value> {
    items.get(index).ok_or_else(|| unknown("a list that is too short"))
}

fn bytes(value: &Value) -> Answer<&[u8]> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        Value::SimpleString(text) => Ok(text.as_bytes()),
        _ => Err(unknown("no text")),
    }
}

fn text(value: &Value) -> Answer<&str> {
    std::str::from_utf8(bytes(value)?).map_err(|_| unknown("a text that is not UTF-8"))
}

/// Lua's numbers come as integers, and what a hash or a sorted set has as text.
fn number(value: &Value) -> Answer<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).map_err(|_| unknown("a negative number")),
        Value::Double(number) => decimal(number.to_string().as_bytes()),
        other => decimal(bytes(other)?),
    }
}

fn milliseconds(value: &Value) -> Answer<Duration> {
    number(value).map(Duration::from_millis)
}

fn decimal(text: &[u8]) -> Answer<u64> {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| unknown("a text that is no number"))
}

fn json<T: DeserializeOwned>(text: &[u8]) -> Answer<T> {
    serde_json::from_slice(text).map_err(|error| unknown(&error.to_string()))
}

fn unknown(what: &str) -> EngineError {
    EngineError::Refused(format!("its answer has {what}, which this version can't read"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strings(texts: &[&str]) -> Value {
        Value::Array(texts.iter().map(|text| Value::BulkString(text.as_bytes().to_vec())).collect())
    }

    #[test]
    fn answers_of_append_are_told_apart() {
        let ok = Value::Array(vec![
            Value::BulkString(b"ok".to_vec()),
            Value::Int(7),
            Value::Int(1_700_000_000_123),
        ]);
        let at = EntryTime {
            position: Position { number: 7, nonce: 9 },
            moment: Duration::from_millis(1_700_000_000_123),
        };
        assert_eq!(appended(&ok, 9), Ok(Appended::Done(at)));
        assert_eq!(
            appended(&strings(&["early", "20"]), 9),
            Ok(Appended::Early(Duration::from_millis(20)))
        );
        for (text, expected) in [
            ("past", Appended::Past),
            ("diverged", Appended::Diverged),
            ("missing", Appended::Missing),
        ] {
            assert_eq!(appended(&strings(&[text]), 9), Ok(expected));
        }
        for wrong in [Value::Nil, strings(&[]), strings(&["ok"]), strings(&["else"])] {
            assert!(appended(&wrong, 9).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn published_entry_is_read_with_the_blanks_in_its_batch() {
        let message = br#"3 11 10 1700000000000 {"server": 5, "number": 2, "commands": ["tick"]}"#;
        let (previous_nonce, entry) = published(message).unwrap();
        assert_eq!(previous_nonce, 10);
        assert_eq!(entry.position, Position { number: 3, nonce: 11 });
        assert_eq!(entry.moment, Duration::from_secs(1_700_000_000));
        assert_eq!((u32::from(entry.batch.server), entry.batch.number), (5, 2));
        assert_eq!(entry.batch.commands.len(), 1);
    }

    proptest! {
        #[test]
        fn arbitrary_messages_are_read_without_a_panic(message: Vec<u8>) {
            let _ = published(&message);
            let _ = opened(&Value::Array(vec![Value::BulkString(message)]));
        }
    }
}
