//! A setting: its key, its help text, and where its value is kept.

use super::{Config, value::Value};

/// One setting. Its environment variable, flag, help and place in the file all follow from this.
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

/// The field of a configuration that holds the value.
pub type Place = for<'config> fn(&'config mut Config) -> &'config mut dyn Value;

/// Settings that belong together.
#[derive(Debug)]
pub struct Group {
    /// The heading in `--help` and docs/configuration.md.
    pub title: &'static str,
    /// The most important first.
    pub settings: &'static [Setting],
}

/// A table of the settings file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// `[[workspace.metadata.leptos]]`, which has the same keys for Leptos' own tools.
    Leptos,
    /// `[presence]`: Rollcall's own.
    Presence,
    /// `[limits]`: admission control.
    Limits,
}

impl Section {
    /// In the order of the file.
    pub const ALL: [Self; 3] = [Self::Leptos, Self::Presence, Self::Limits];

    /// The line that begins the table.
    pub fn header(self) -> &'static str {
        match self {
            Self::Leptos => "[[workspace.metadata.leptos]]",
            Self::Presence => "[presence]",
            Self::Limits => "[limits]",
        }
    }

    /// The last part of its name.
    pub(super) fn name(self) -> &'static str {
        self.header().trim_matches(['[', ']']).rsplit('.').next().unwrap_or_default()
    }

    fn variable_prefix(self) -> &'static str {
        match self {
            Self::Leptos => "LEPTOS_",
            Self::Presence | Self::Limits => "ROLLCALL_",
        }
    }
}

impl Setting {
    /// A setting of Rollcall's own, in `[presence]`; `help` is one line of full sentences.
    pub const fn presence(key: &'static str, help: &'static str, place: Place) -> Self {
        let (section, flag) = (Section::Presence, key);
        Self { key, section, help, flag, default_is: None, is_secret: false, place }
    }

    /// A setting in `[limits]`.
    pub const fn limit(key: &'static str, help: &'static str, place: Place) -> Self {
        Self { section: Section::Limits, ..Self::presence(key, help, place) }
    }

    /// A setting that Leptos' own tools read under the same key.
    pub const fn leptos(key: &'static str, help: &'static str, place: Place) -> Self {
        let (section, flag) = (Section::Leptos, key);
        Self { key, section, help, flag, default_is: None, is_secret: false, place }
    }

    /// With a flag whose name differs from the key.
    #[must_use]
    pub const fn with_flag(self, flag: &'static str) -> Self {
        Self { flag, ..self }
    }

    /// With a description of a default that is computed when the server starts.
    #[must_use]
    pub const fn default_is(self, text: &'static str) -> Self {
        Self { default_is: Some(text), ..self }
    }

    /// A secret: its value is never printed, and it has no flag, since other users can see the command line.
    #[must_use]
    pub const fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    /// The key in the file.
    pub const fn key(&self) -> &'static str {
        self.key
    }

    /// The table of the file that holds it.
    pub const fn section(&self) -> Section {
        self.section
    }

    /// The explanation in `--help` and the documentation.
    pub const fn help(&self) -> &'static str {
        self.help
    }

    /// The flag without its dashes; none for a secret.
    pub fn flag(&self) -> Option<&'static str> {
        (!self.is_secret).then_some(self.flag)
    }

    /// The name of the environment variable.
    pub fn variable(&self) -> String {
        let key = self.key.to_ascii_uppercase().replace('-', "_");
        format!("{}{key}", self.section.variable_prefix())
    }

    /// Whether its value is never printed.
    pub const fn is_secret(&self) -> bool {
        self.is_secret
    }

    /// The default as the documentation shows it.
    pub fn default_text(&self, defaults: &mut Config) -> String {
        match self.default_is {
            Some(text) => text.to_owned(),
            None => self.value(defaults).format().unwrap_or_else(|| "none".to_owned()),
        }
    }

    /// The value in a configuration, to read or to set.
    pub fn value<'config>(&self, config: &'config mut Config) -> &'config mut dyn Value {
        (self.place)(config)
    }
}
