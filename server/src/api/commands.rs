//! `rollcall key`: adds, lists and removes API keys.

use std::fmt::Write;

use time::UtcDateTime;

use super::{
    key::{ApiKey, KeyHash, KeyName, new_key},
    key_file::{self, KeyFileError},
    scope::Scopes,
};
use crate::{config::Config, unix_time::unix_seconds};

/// What to do with keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyCommand {
    /// Makes a key.
    Add {
        /// What it is called.
        name: KeyName,
        /// What it permits.
        scopes: Scopes,
    },
    /// Shows all keys.
    List,
    /// Removes a key.
    Remove {
        /// What it is called.
        name: KeyName,
    },
}

/// What a command says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyOutput {
    /// For standard output, so that a script can use it.
    pub result: String,
    /// For standard error.
    pub note: Option<&'static str>,
}

/// Runs a command on the keys of the state directory that is set.
pub fn run(config: &Config, command: KeyCommand) -> Result<KeyOutput, KeyFileError> {
    let state_directory = &config.state_directory;
    match command {
        KeyCommand::Add { name, scopes } => {
            let text = new_key()?;
            let sha256 = KeyHash::of(&text);
            key_file::add(
                state_directory,
                ApiKey { name, scopes, created: unix_seconds(), sha256 },
            )?;
            let note = "This key is shown only now: keep it like a password. A running server knows it within a second.";
            Ok(KeyOutput { result: text, note: Some(note) })
        }
        KeyCommand::List => {
            let keys = key_file::read(state_directory)?;
            let note =
                keys.is_empty().then_some("There are no keys. `rollcall key add` makes one.");
            Ok(KeyOutput { result: table(&keys), note })
        }
        KeyCommand::Remove { name } => {
            key_file::remove(state_directory, &name)?;
            let note = "A running server refuses it within a second.";
            Ok(KeyOutput { result: format!("The key {name} is removed."), note: Some(note) })
        }
    }
}

/// One line a key: its name, when it was made, and its scopes.
fn table(keys: &[ApiKey]) -> String {
    let mut text = String::new();
    for ApiKey { name, scopes, created, .. } in keys {
        let _ = writeln!(text, "{name}\t{}\t{scopes}", date(*created));
    }
    text.trim_end().to_owned()
}

/// The UTC date of a moment in seconds since the Unix epoch.
fn date(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or_default();
    let moment = UtcDateTime::from_unix_timestamp(seconds).unwrap_or(UtcDateTime::UNIX_EPOCH);
    moment.date().to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::api::scope::Scope;

    #[test]
    fn key_is_shown_once_and_listed_without_it() {
        let directory = tempfile::tempdir().unwrap();
        let config = Config { state_directory: directory.path().to_owned(), ..Config::default() };
        let run = |command| run(&config, command);
        assert_eq!(run(KeyCommand::List).unwrap().result, "");
        let name: KeyName = "crm".parse().unwrap();
        let scopes: Scopes =
            BTreeSet::from([Scope::UsersRead, Scope::RoomsRead]).try_into().unwrap();
        let added = run(KeyCommand::Add { name: name.clone(), scopes }).unwrap();
        assert!(added.result.starts_with("rollcall_key_"), "{}", added.result);
        let listed = run(KeyCommand::List).unwrap();
        assert!(listed.result.starts_with("crm\t20"), "{}", listed.result);
        assert!(listed.result.ends_with("\trooms:read,users:read"), "{}", listed.result);
        assert!(!listed.result.contains(&added.result) && listed.note.is_none());
        run(KeyCommand::Remove { name: name.clone() }).unwrap();
        assert_eq!(run(KeyCommand::List).unwrap().result, "");
        assert!(run(KeyCommand::Remove { name }).is_err());
    }

    #[test]
    fn date_is_of_the_calendar() {
        assert_eq!(date(1_790_000_000), "2026-09-21");
        assert_eq!(date(u64::MAX), "1970-01-01");
    }
}
