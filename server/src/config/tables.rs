//! Tables of the settings file that stand there several times: what reading them has in common.

use toml::de::DeValue;

/// A value has the wrong type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} has to be a string in quotes")]
pub struct NotTextError {
    key: &'static str,
}

/// The text that a key has.
pub(super) fn text(key: &'static str, value: &DeValue<'_>) -> Result<String, NotTextError> {
    value.as_str().map(str::to_owned).ok_or(NotTextError { key })
}

/// A text as TOML has it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
