//! What an unknown name in the settings was probably meant to be.

use std::fmt;

use super::{
    all_settings,
    setting::{Section, Setting},
};

/// The similarity from which a name is suggested; 1 is equality. Below it, suggestions are mostly wrong.
const LEAST_SIMILARITY: f64 = 0.85;

/// A suggestion in an error about an unknown name. It begins with a space, or is empty.
#[derive(Clone, Copy, Debug)]
pub enum Suggestion {
    /// Nothing is similar.
    None,
    /// The setting has this name, but belongs in another table.
    Elsewhere(&'static str, Section),
    /// A key of the file.
    Key(&'static str, Section),
    /// An environment variable.
    Variable(&'static Setting),
    /// A table of the file.
    Table(Section),
}

impl Suggestion {
    /// For a key of the file that is not in its table.
    pub(super) fn for_key(key: &str) -> Self {
        match nearest_setting(key) {
            Some(setting) if setting.key() == key => {
                Self::Elsewhere(setting.key(), setting.section())
            }
            Some(setting) => Self::Key(setting.key(), setting.section()),
            None => Self::None,
        }
    }

    /// For a variable that is no setting.
    pub(super) fn for_variable(variable: &str) -> Self {
        nearest_setting(variable).map_or(Self::None, Self::Variable)
    }

    /// For a table of the file, by the last part of its name.
    pub(super) fn for_table(name: &str) -> Self {
        let name = normalised(name);
        let by_name = Section::ALL.map(|section| (similarity(&name, section.name()), section));
        nearest(by_name).map_or(Self::None, Self::Table)
    }
}

impl fmt::Display for Suggestion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Elsewhere(key, section) => {
                write!(formatter, " {key} belongs in {}.", section.header())
            }
            Self::Key(key, section) => {
                write!(formatter, " Did you mean {key} in {}?", section.header())
            }
            Self::Variable(setting) => write!(formatter, " Did you mean {}?", setting.variable()),
            Self::Table(section) => write!(formatter, " Did you mean {}?", section.header()),
        }
    }
}

/// The setting whose key or flag is most like this name.
fn nearest_setting(name: &str) -> Option<&'static Setting> {
    let name = normalised(name);
    nearest(all_settings::all().map(|setting| {
        let of_flag = setting.flag().map_or(0.0, |flag| similarity(&name, flag));
        (similarity(&name, setting.key()).max(of_flag), setting)
    }))
}

fn nearest<Of>(candidates: impl IntoIterator<Item = (f64, Of)>) -> Option<Of> {
    let similar = candidates.into_iter().filter(|(similarity, _)| *similarity >= LEAST_SIMILARITY);
    similar.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, candidate)| candidate)
}

/// As a key is written: `public-url` for `PUBLIC_URL` and `ROLLCALL_PUBLIC_URL`.
fn normalised(name: &str) -> String {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let prefixes = ["rollcall-", "leptos-"];
    let key = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix));
    key.unwrap_or(&name).to_owned()
}

fn similarity(one: &str, other: &str) -> f64 {
    strsim::jaro_winkler(one, other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_answered_with_the_setting_that_was_meant() {
        for (key, suggestion) in [
            ("public-url", " public-url belongs in [presence]."),
            ("max-rooms", " max-rooms belongs in [limits]."),
            ("public_url", " Did you mean public-url in [presence]?"),
            ("max-people-per-rom", " Did you mean max-people-per-room in [presence]?"),
            ("max-people", " Did you mean max-people-per-room in [presence]?"),
            ("addr", " Did you mean site-addr in [[workspace.metadata.leptos]]?"),
            ("site-adr", " Did you mean site-addr in [[workspace.metadata.leptos]]?"),
            ("colour", ""),
        ] {
            assert_eq!(Suggestion::for_key(key).to_string(), suggestion, "{key}");
        }
        for (variable, suggestion) in [
            ("ROLLCALL_ADDR", " Did you mean LEPTOS_SITE_ADDR?"),
            ("ROLLCALL_SITE_ADDR", " Did you mean LEPTOS_SITE_ADDR?"),
            ("ROLLCALL_LOGS", " Did you mean ROLLCALL_LOG?"),
            ("ROLLCALL_COLOUR", ""),
        ] {
            assert_eq!(Suggestion::for_variable(variable).to_string(), suggestion, "{variable}");
        }
        for (table, suggestion) in [
            ("presense", " Did you mean [presence]?"),
            ("limit", " Did you mean [limits]?"),
            ("lepto", " Did you mean [[workspace.metadata.leptos]]?"),
            ("else", ""),
        ] {
            assert_eq!(Suggestion::for_table(table).to_string(), suggestion, "{table}");
        }
    }
}
