//! The environment's variables, and the settings among them.

use std::{collections::BTreeMap, env, path::PathBuf};

use super::{
    all_settings,
    error::ConfigError,
    nearest::Suggestion,
    setting::{Section, Setting},
    source::Source,
};

/// A value for one setting, from one source.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The setting.
    pub setting: &'static Setting,
    /// Its value as it was written.
    pub text: String,
    /// Where it was written.
    pub source: Source,
}

/// Variables with the prefix of Rollcall's settings that belong to its tests and tools.
const NOT_SETTINGS: [&str; 6] = [
    "ROLLCALL_BINARY",
    "ROLLCALL_CACHE",
    "ROLLCALL_CHROMIUM",
    "ROLLCALL_ENGINE",
    "ROLLCALL_FIREFOX",
    "ROLLCALL_SITE",
];

/// Environment variables, of this process or of a test.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process.
    pub fn of_this_process() -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Self(env::vars_os().map(|(name, value)| (text(name), text(value))).collect())
    }

    /// The given variables, for a test.
    pub fn of(variables: &[(&str, &str)]) -> Self {
        Self(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }

    /// The value of a variable as a path; none unless it is absolute.
    pub(super) fn absolute_path(&self, name: &str) -> Option<PathBuf> {
        self.0.get(name).map(PathBuf::from).filter(|path| path.is_absolute())
    }

    /// All settings in it; an empty variable counts as unset.
    ///
    /// Leptos has further variables of its own, so only those with Rollcall's prefix can be unknown.
    pub(super) fn assignments(&self) -> Result<Vec<Assignment>, ConfigError> {
        let mut assignments = Vec::new();
        for (variable, text) in self.0.iter().filter(|(_, text)| !text.is_empty()) {
            let source = Source::Variable(variable.clone());
            if let Some(setting) =
                all_settings::all().find(|setting| setting.variable() == *variable)
            {
                assignments.push(Assignment { setting, text: text.clone(), source });
            } else if variable.starts_with("ROLLCALL_")
                && !NOT_SETTINGS.contains(&variable.as_str())
            {
                let suggestion = Suggestion::for_variable(variable);
                return Err(ConfigError::UnknownVariable {
                    variable: variable.clone(),
                    suggestion,
                });
            }
        }
        Ok(assignments)
    }
}

/// The setting with this key in this table.
pub(super) fn find(section: Section, key: &str) -> Option<&'static Setting> {
    all_settings::all().find(|setting| setting.section() == section && setting.key() == key)
}
