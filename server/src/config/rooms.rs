//! The tables `[[rooms]]` of the settings file: who may watch and join which rooms.

use std::{fmt::Write, path::Path};

use toml::de::{DeTable, DeValue};

use super::{
    error::ConfigError,
    source::Source,
    tables::{self, NotTextError},
};
use crate::{
    room_access::{Access, JoinMoreOpenError, Openness, RoomRule},
    webhooks::RoomFilter,
};

/// What is wrong with a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoomRuleError {
    /// There is no such key.
    #[error("there is no {key} in [[rooms]]: the keys are match, watch and join")]
    UnknownKey {
        /// The key.
        key: String,
    },
    /// A value has the wrong type.
    #[error("in [[rooms]], {0}")]
    Type(#[from] NotTextError),
    /// The rooms are none.
    #[error("a [[rooms]] needs a match, like \"lobby\" or \"team-*\"")]
    Match,
    /// Nobody knows for whom the rooms are.
    #[error("{key} in [[rooms]] has to be {}", Access::ALL.map(Access::name).join(", "))]
    Access {
        /// `watch` or `join`.
        key: &'static str,
    },
    /// Joining would be for more people than watching.
    #[error("in [[rooms]], {0}")]
    JoinMoreOpen(#[from] JoinMoreOpenError),
}

/// Reads a table; `begins` is where it begins.
pub(super) fn read(
    path: &Path,
    text: &str,
    table: &DeTable<'_>,
    begins: usize,
) -> Result<RoomRule, ConfigError> {
    let error = |byte, error| ConfigError::Room { at: Source::in_file(path, text, byte), error };
    let mut parts = Parts::default();
    for (key, value) in table {
        let read = parts.read(key.get_ref(), value.get_ref());
        read.map_err(|wrong| error(key.span().start, wrong))?;
    }
    parts.finish().map_err(|wrong| error(begins, wrong))
}

#[derive(Default)]
struct Parts {
    rooms: Option<RoomFilter>,
    watch: Option<Access>,
    join: Option<Access>,
}

impl Parts {
    fn read(&mut self, key: &str, value: &DeValue<'_>) -> Result<(), RoomRuleError> {
        match key {
            "match" => {
                let text = tables::text("match", value)?;
                let rooms = RoomFilter::parse([&*text]).map_err(|_| RoomRuleError::Match)?;
                self.rooms = Some(rooms);
            }
            "watch" => self.watch = Some(access("watch", value)?),
            "join" => self.join = Some(access("join", value)?),
            key => return Err(RoomRuleError::UnknownKey { key: key.to_owned() }),
        }
        Ok(())
    }

    fn finish(self) -> Result<RoomRule, RoomRuleError> {
        let rooms = self.rooms.ok_or(RoomRuleError::Match)?;
        Ok(RoomRule::new(rooms, Openness::new(self.watch.unwrap_or_default(), self.join)?))
    }
}

fn access(key: &'static str, value: &DeValue<'_>) -> Result<Access, RoomRuleError> {
    let text = tables::text(key, value)?;
    let access = Access::ALL.into_iter().find(|access| access.name() == text);
    access.ok_or(RoomRuleError::Access { key })
}

/// An example, for a file that has none.
pub(super) const EXAMPLE: &str = "\
# Who may watch and join which rooms: open, token or closed. The first match counts.
# [[rooms]]
# match = \"team-*\"
# watch = \"token\"
# join = \"token\"
";

/// The table, as it is set.
pub(super) fn print(rule: &RoomRule, text: &mut String) {
    let _ = writeln!(text, "[[rooms]]\n{rule}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Sources, docs};

    fn load(tables: &str) -> Result<Config, ConfigError> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("Leptos.toml");
        let state = directory.path().join("state");
        let presence = format!("[presence]\nstate-dir = {:?}\n", state.to_string_lossy());
        std::fs::write(&file, format!("{presence}{tables}")).unwrap();
        Config::load(Sources { file: Some(file), ..Sources::default() })
    }

    #[test]
    fn rules_are_read_in_their_order_and_printed_as_they_were_read() {
        let tables = "[[rooms]]\nmatch = \"stage\"\njoin = \"closed\"\n\
                      [[rooms]]\nmatch = \"old-*\"\nwatch = \"closed\"\n";
        let mut config = load(tables).unwrap();
        let [stage, old] = config.rooms.rules() else { panic!("{:?}", config.rooms) };
        assert_eq!(stage.to_string(), "match = \"stage\"\nwatch = \"open\"\njoin = \"closed\"");
        assert_eq!(old.to_string(), "match = \"old-*\"\nwatch = \"closed\"\njoin = \"closed\"");
        let rooms = config.rooms.clone();
        let printed = docs::file(&mut config);
        let (_, again) = printed.split_once("[[rooms]]").unwrap();
        assert_eq!(load(&format!("[[rooms]]{again}")).unwrap().rooms, rooms);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (table, words) in [
            ("watch = \"open\"", "needs a match"),
            ("match = \"Team\"", "needs a match"),
            ("match = [\"a\"]", "match has to be a string"),
            (
                "match = \"a\"\nwatch = \"secret\"",
                "watch in [[rooms]] has to be open, token, closed",
            ),
            ("match = \"a\"\nwatch = \"closed\"\njoin = \"open\"", "who joins sees the list"),
            ("match = \"a\"\nleave = \"open\"", "there is no leave"),
        ] {
            let sentence = load(&format!("[[rooms]]\n{table}\n")).unwrap_err().to_string();
            assert!(sentence.contains(words) && sentence.contains(", line "), "{sentence}");
        }
    }

    /// Nobody could enter.
    #[test]
    fn rooms_that_need_tokens_need_a_key() {
        let sentence =
            load("[[rooms]]\nmatch = \"a\"\nwatch = \"token\"\n").unwrap_err().to_string();
        assert!(sentence.contains("[[token-keys]]"), "{sentence}");
    }
}
