//! The settings file: TOML, in which every key has to be known and every value of its type.

use std::path::Path;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Config,
    environment::{self, Assignment},
    error::ConfigError,
    nearest::Suggestion,
    rooms,
    setting::{Section, Setting},
    source::Source,
    token_keys,
    value::ValueKind,
    webhooks::{self, WebhookSettings},
};
use crate::{room_access::RoomRule, tokens::KeySource};

/// What a file sets.
#[derive(Debug, Default)]
pub(super) struct SettingsFile {
    /// The settings.
    pub(super) assignments: Vec<Assignment>,
    /// The tables `[[webhooks]]`.
    pub(super) webhooks: Vec<WebhookSettings>,
    /// The tables `[[rooms]]`.
    pub(super) rooms: Vec<RoomRule>,
    /// The tables `[[token-keys]]`.
    pub(super) token_keys: Vec<KeySource>,
}

/// All that a file's `text` sets.
pub(super) fn read(path: &Path, text: &str) -> Result<SettingsFile, ConfigError> {
    let syntax = |source| ConfigError::Syntax { path: path.to_owned(), source };
    let table = DeTable::parse(text).map_err(syntax)?;
    let file = ParsedFile { path, text };
    let mut settings = SettingsFile::default();
    let assignments = &mut settings.assignments;
    for (key, value) in table.get_ref() {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("workspace", DeValue::Table(workspace)) => {
                for table in file.leptos_tables(workspace)? {
                    file.parse(Section::Leptos, table, assignments)?;
                }
            }
            ("presence", DeValue::Table(table)) => {
                file.parse(Section::Presence, table, assignments)?;
            }
            ("limits", DeValue::Table(table)) => {
                file.parse(Section::Limits, table, assignments)?;
            }
            (name @ ("webhooks" | "rooms" | "token-keys"), DeValue::Array(tables)) => {
                for spanned in tables {
                    let DeValue::Table(table) = spanned.get_ref() else {
                        return Err(file.unknown_key(key, "the file outside its tables"));
                    };
                    let begins = spanned.span().start;
                    match name {
                        "webhooks" => {
                            settings.webhooks.push(webhooks::read(path, text, table, begins)?);
                        }
                        "rooms" => settings.rooms.push(rooms::read(path, text, table, begins)?),
                        _ => {
                            let before = &settings.token_keys;
                            let key = token_keys::read(path, text, table, begins, before)?;
                            settings.token_keys.push(key);
                        }
                    }
                }
            }
            (_, DeValue::Table(_) | DeValue::Array(_)) => {
                return Err(file.unknown_table(key, "the file"));
            }
            _ => return Err(file.unknown_key(key, "the file outside its tables")),
        }
    }
    Ok(settings)
}

type Key<'text> = Spanned<std::borrow::Cow<'text, str>>;

struct ParsedFile<'text> {
    path: &'text Path,
    text: &'text str,
}

impl ParsedFile<'_> {
    /// `[[workspace.metadata.leptos]]`: an array of tables, as for Leptos' own tools.
    fn leptos_tables<'table, 'text>(
        &self,
        workspace: &'table DeTable<'text>,
    ) -> Result<Vec<&'table DeTable<'text>>, ConfigError> {
        let mut tables = Vec::new();
        for (key, metadata) in workspace {
            let DeValue::Table(metadata) = metadata.get_ref() else {
                return Err(self.unknown_key(key, "[workspace]"));
            };
            if key.get_ref() != "metadata" {
                return Err(self.unknown_table(key, "[workspace]"));
            }
            for (key, leptos) in metadata {
                let unknown = || match leptos.get_ref() {
                    DeValue::Array(_) | DeValue::Table(_) => {
                        self.unknown_table(key, "[workspace.metadata]")
                    }
                    _ => self.unknown_key(key, "[workspace.metadata]"),
                };
                match leptos.get_ref() {
                    DeValue::Array(array) if key.get_ref() == "leptos" => {
                        for table in array {
                            let DeValue::Table(table) = table.get_ref() else {
                                return Err(unknown());
                            };
                            tables.push(table);
                        }
                    }
                    _ => return Err(unknown()),
                }
            }
        }
        Ok(tables)
    }

    fn parse(
        &self,
        section: Section,
        table: &DeTable<'_>,
        assignments: &mut Vec<Assignment>,
    ) -> Result<(), ConfigError> {
        for (key, value) in table {
            let Some(setting) = environment::find(section, key.get_ref()) else {
                return Err(self.unknown_key(key, section.header()));
            };
            let source = Source::in_file(self.path, self.text, value.span().start);
            let text = text_of(setting, value.get_ref()).ok_or_else(|| ConfigError::BadValue {
                at: source.clone(),
                key: setting.key(),
                found: format!("of type {}", value.get_ref().type_str()),
                expected: description(kind_of(setting)),
            })?;
            assignments.push(Assignment { setting, text, source });
        }
        Ok(())
    }

    fn unknown_key(&self, key: &Key<'_>, place: &'static str) -> ConfigError {
        let (at, key) = self.name(key);
        let suggestion = Suggestion::for_key(&key);
        ConfigError::UnknownKey { at, key, place, suggestion }
    }

    fn unknown_table(&self, key: &Key<'_>, place: &'static str) -> ConfigError {
        let (at, name) = self.name(key);
        let suggestion = Suggestion::for_table(&name);
        ConfigError::UnknownTable { at, name, place, suggestion }
    }

    fn name(&self, key: &Key<'_>) -> (Source, String) {
        let at = Source::in_file(self.path, self.text, key.span().start);
        (at, key.get_ref().clone().into_owned())
    }
}

/// A value as it would be written in the environment; none if it is of the wrong type.
fn text_of(setting: &Setting, value: &DeValue<'_>) -> Option<String> {
    match (kind_of(setting), value) {
        (ValueKind::Number | ValueKind::Duration, DeValue::Integer(number)) => {
            Some(number.to_string())
        }
        (ValueKind::Switch, DeValue::Boolean(switch)) => Some(switch.to_string()),
        (ValueKind::Text | ValueKind::Duration, DeValue::String(text)) => {
            Some(text.clone().into_owned())
        }
        (ValueKind::List, DeValue::Array(array)) => {
            let texts = array.iter().map(|value| value.get_ref().as_str());
            texts.collect::<Option<Vec<_>>>().map(|texts| texts.join(","))
        }
        _ => None,
    }
}

fn kind_of(setting: &Setting) -> ValueKind {
    setting.value(&mut Config::default()).kind()
}

fn description(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Number => "a whole number",
        ValueKind::Switch => "true or false",
        ValueKind::Duration => "a duration in quotes, or a number of seconds",
        ValueKind::Text => "a string in quotes",
        ValueKind::List => "a list of strings in quotes",
    }
}
