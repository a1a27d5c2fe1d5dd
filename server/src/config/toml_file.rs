//! The settings' file: TOML, of which every key is known and every value is of its form.

use std::path::Path;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Config,
    environment::{self, Assignment},
    error::ConfigFault,
    setting::{Section, Setting},
    source::Source,
    value::Form,
};

/// Everything that a file's `text` sets.
pub(super) fn assignments(path: &Path, text: &str) -> Result<Vec<Assignment>, ConfigFault> {
    let syntax = |source| ConfigFault::Syntax { path: path.to_owned(), source };
    let table = DeTable::parse(text).map_err(syntax)?;
    let file = File { path, text };
    let mut assignments = Vec::new();
    for (key, value) in table.get_ref() {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("workspace", DeValue::Table(workspace)) => {
                for table in file.leptos_tables(workspace)? {
                    file.read(Section::Leptos, table, &mut assignments)?;
                }
            }
            ("presence", DeValue::Table(table)) => {
                file.read(Section::Presence, table, &mut assignments)?;
            }
            ("door", DeValue::Table(table)) => {
                file.read(Section::Door, table, &mut assignments)?;
            }
            _ => return Err(file.unknown(key, "the file")),
        }
    }
    Ok(assignments)
}

type Key<'text> = Spanned<std::borrow::Cow<'text, str>>;

struct File<'text> {
    path: &'text Path,
    text: &'text str,
}

impl File<'_> {
    /// `[[workspace.metadata.leptos]]`: as Leptos has it, though there can be but one.
    fn leptos_tables<'table, 'text>(
        &self,
        workspace: &'table DeTable<'text>,
    ) -> Result<Vec<&'table DeTable<'text>>, ConfigFault> {
        let mut tables = Vec::new();
        for (key, metadata) in workspace {
            let DeValue::Table(metadata) = metadata.get_ref() else {
                return Err(self.unknown(key, "[workspace]"));
            };
            if key.get_ref() != "metadata" {
                return Err(self.unknown(key, "[workspace]"));
            }
            for (key, leptos) in metadata {
                let unknown = || self.unknown(key, "[workspace.metadata]");
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

    fn read(
        &self,
        section: Section,
        table: &DeTable<'_>,
        assignments: &mut Vec<Assignment>,
    ) -> Result<(), ConfigFault> {
        for (key, value) in table {
            let Some(setting) = environment::find(section, key.get_ref()) else {
                return Err(self.unknown(key, section.header()));
            };
            let source = Source::in_file(self.path, self.text, value.span().start);
            let text = text_of(setting, value.get_ref()).ok_or_else(|| ConfigFault::BadValue {
                at: source.clone(),
                key: setting.key(),
                found: format!("of the kind {}", value.get_ref().type_str()),
                expected: in_words(form_of(setting)),
            })?;
            assignments.push(Assignment { setting, text, source });
        }
        Ok(())
    }

    fn unknown(&self, key: &Key<'_>, place: &'static str) -> ConfigFault {
        let at = Source::in_file(self.path, self.text, key.span().start);
        ConfigFault::UnknownKey { at, key: key.get_ref().clone().into_owned(), place }
    }
}

/// A value as it would be written in the environment, if it is of the setting's form.
fn text_of(setting: &Setting, value: &DeValue<'_>) -> Option<String> {
    match (form_of(setting), value) {
        (Form::Number, DeValue::Integer(number)) => Some(number.to_string()),
        (Form::Switch, DeValue::Boolean(switch)) => Some(switch.to_string()),
        (Form::Text, DeValue::String(text)) => Some(text.clone().into_owned()),
        (Form::List, DeValue::Array(array)) => {
            let texts = array.iter().map(|value| value.get_ref().as_str());
            texts.collect::<Option<Vec<_>>>().map(|texts| texts.join(","))
        }
        _ => None,
    }
}

fn form_of(setting: &Setting) -> Form {
    setting.value(&mut Config::default()).form()
}

fn in_words(form: Form) -> &'static str {
    match form {
        Form::Number => "a whole number",
        Form::Switch => "true or false",
        Form::Text => "a text in quotes",
        Form::List => "a list of texts in quotes",
    }
}
