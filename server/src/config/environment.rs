//! The environment, and what is set in it.

use std::{collections::BTreeMap, env, path::PathBuf};

use super::{
    error::ConfigError,
    setting::{Section, Setting},
    settings,
    source::Source,
};

/// One setting, set to something in one place.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// Which setting.
    pub setting: &'static Setting,
    /// What it is set to.
    pub text: String,
    /// Where.
    pub source: Source,
}

/// Variables that begin like Rollcall's settings and are for its tests and tools.
const NOT_SETTINGS: [&str; 4] =
    ["ROLLCALL_BINARY", "ROLLCALL_CACHE", "ROLLCALL_CHROMIUM", "ROLLCALL_SITE"];

/// The environment's variables, of this process or made up by a test.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// This process's own.
    pub fn of_this_process() -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Self(env::vars_os().map(|(name, value)| (text(name), text(value))).collect())
    }

    /// With these variables.
    pub fn of(variables: &[(&str, &str)]) -> Self {
        Self(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }

    /// What is set to something, as a path that can be used from anywhere.
    pub(super) fn absolute_path(&self, name: &str) -> Option<PathBuf> {
        self.0.get(name).map(PathBuf::from).filter(|path| path.is_absolute())
    }

    /// All settings in it; a variable that is set to nothing is as good as none.
    ///
    /// Leptos has variables of its own besides: only Rollcall's can be unknown.
    pub(super) fn assignments(&self) -> Result<Vec<Assignment>, ConfigError> {
        let mut assignments = Vec::new();
        for (variable, text) in self.0.iter().filter(|(_, text)| !text.is_empty()) {
            let source = Source::Variable(variable.clone());
            if let Some(setting) = settings::all().find(|setting| setting.variable() == *variable) {
                assignments.push(Assignment { setting, text: text.clone(), source });
            } else if variable.starts_with("ROLLCALL_")
                && !NOT_SETTINGS.contains(&variable.as_str())
            {
                let key = variable.clone();
                return Err(ConfigError::UnknownKey { at: source, key, place: "the environment" });
            }
        }
        Ok(assignments)
    }
}

/// The setting of this key in this table.
pub(super) fn find(section: Section, key: &str) -> Option<&'static Setting> {
    settings::all().find(|setting| setting.section() == section && setting.key() == key)
}
