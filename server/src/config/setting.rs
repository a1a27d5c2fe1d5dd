//! What a setting is: its key, what it is for, and where its value is kept.

use super::{Config, value::Value};

/// One setting. Its variable, its flag, its help and its place in the file all follow from this.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    key: &'static str,
    section: Section,
    help: &'static str,
    flag: &'static str,
    default_is: Option<&'static str>,
    is_secret: bool,
    place: Place,
}

/// Where in a configuration the value is kept.
pub type Place = for<'config> fn(&'config mut Config) -> &'config mut dyn Value;

/// Settings that belong together.
#[derive(Debug)]
pub struct Group {
    /// Their title.
    pub title: &'static str,
    /// The settings, the most important first.
    pub settings: &'static [Setting],
}

/// The table of the file that a setting stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// `[[workspace.metadata.leptos]]`, which has the same keys for Leptos' own tools.
    Leptos,
    /// `[presence]`: Rollcall's own.
    Presence,
    /// `[admission]`: who may come in.
    Admission,
}

impl Section {
    /// All, in the order of the file.
    pub const ALL: [Self; 3] = [Self::Leptos, Self::Presence, Self::Admission];

    /// Its header in the file.
    pub fn header(self) -> &'static str {
        match self {
            Self::Leptos => "[[workspace.metadata.leptos]]",
            Self::Presence => "[presence]",
            Self::Admission => "[door]",
        }
    }

    fn variable_prefix(self) -> &'static str {
        match self {
            Self::Leptos => "LEPTOS_",
            Self::Presence | Self::Admission => "ROLLCALL_",
        }
    }
}

impl Setting {
    /// A setting of Rollcall's own; `help` is one sentence or two.
    pub const fn presence(key: &'static str, help: &'static str, place: Place) -> Self {
        let (section, flag) = (Section::Presence, key);
        Self { key, section, help, flag, default_is: None, is_secret: false, place }
    }

    /// A rule of the door.
    pub const fn admission(key: &'static str, help: &'static str, place: Place) -> Self {
        Self { section: Section::Admission, ..Self::presence(key, help, place) }
    }

    /// A setting that Leptos' own tools know by the same key.
    pub const fn leptos(key: &'static str, help: &'static str, place: Place) -> Self {
        let (section, flag) = (Section::Leptos, key);
        Self { key, section, help, flag, default_is: None, is_secret: false, place }
    }

    /// With a flag that is not named like the key.
    #[must_use]
    pub const fn with_flag(self, flag: &'static str) -> Self {
        Self { flag, ..self }
    }

    /// With a default that a value can't say: `nowhere`.
    #[must_use]
    pub const fn default_is(self, words: &'static str) -> Self {
        Self { default_is: Some(words), ..self }
    }

    /// A secret: it is never printed, and there is no flag for it, since everybody on a machine sees flags.
    #[must_use]
    pub const fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    /// Its key in the file.
    pub const fn key(&self) -> &'static str {
        self.key
    }

    /// The table that it stands in.
    pub const fn section(&self) -> Section {
        self.section
    }

    /// What it is for.
    pub const fn help(&self) -> &'static str {
        self.help
    }

    /// Its flag, without the dashes.
    pub fn flag(&self) -> Option<&'static str> {
        (!self.is_secret).then_some(self.flag)
    }

    /// Its variable of the environment.
    pub fn variable(&self) -> String {
        let key = self.key.to_ascii_uppercase().replace('-', "_");
        format!("{}{key}", self.section.variable_prefix())
    }

    /// Whether its value is shown to nobody.
    pub const fn is_secret(&self) -> bool {
        self.is_secret
    }

    /// Its default in words.
    pub fn default_in_words(&self, defaults: &mut Config) -> String {
        match self.default_is {
            Some(words) => words.to_owned(),
            None => self.value(defaults).format().unwrap_or_else(|| "none".to_owned()),
        }
    }

    /// Its value in a configuration.
    pub fn value<'config>(&self, config: &'config mut Config) -> &'config mut dyn Value {
        (self.place)(config)
    }
}
