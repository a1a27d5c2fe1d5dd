//! The languages that the page speaks.

use leptos::prelude::use_context;

/// A language of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
    /// French.
    French,
    /// Spanish.
    Spanish,
    /// Portuguese, as in Brazil.
    Portuguese,
    /// Italian.
    Italian,
    /// Dutch.
    Dutch,
    /// Polish.
    Polish,
    /// Ukrainian.
    Ukrainian,
    /// Turkish.
    Turkish,
    /// Arabic.
    Arabic,
    /// Hebrew.
    Hebrew,
    /// Hindi.
    Hindi,
    /// Chinese, simplified.
    Chinese,
    /// Japanese.
    Japanese,
}

impl Language {
    /// All of them, in the order of the menu.
    pub const ALL: [Self; 15] = [
        Self::English,
        Self::German,
        Self::French,
        Self::Spanish,
        Self::Portuguese,
        Self::Italian,
        Self::Dutch,
        Self::Polish,
        Self::Ukrainian,
        Self::Turkish,
        Self::Arabic,
        Self::Hebrew,
        Self::Hindi,
        Self::Chinese,
        Self::Japanese,
    ];

    /// The language of the page that is rendered.
    pub(crate) fn of_context() -> Self {
        use_context().unwrap_or_default()
    }

    /// Its BCP 47 tag, for `lang` and `?lang=`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Spanish => "es",
            Self::Portuguese => "pt",
            Self::Italian => "it",
            Self::Dutch => "nl",
            Self::Polish => "pl",
            Self::Ukrainian => "uk",
            Self::Turkish => "tr",
            Self::Arabic => "ar",
            Self::Hebrew => "he",
            Self::Hindi => "hi",
            Self::Chinese => "zh",
            Self::Japanese => "ja",
        }
    }

    /// Its name in the language itself, for the menu.
    pub fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            Self::French => "Français",
            Self::Spanish => "Español",
            Self::Portuguese => "Português",
            Self::Italian => "Italiano",
            Self::Dutch => "Nederlands",
            Self::Polish => "Polski",
            Self::Ukrainian => "Українська",
            Self::Turkish => "Türkçe",
            Self::Arabic => "العربية",
            Self::Hebrew => "עברית",
            Self::Hindi => "हिन्दी",
            Self::Chinese => "中文",
            Self::Japanese => "日本語",
        }
    }

    /// The direction of its script, for `dir`.
    pub fn direction(self) -> &'static str {
        match self {
            Self::Arabic | Self::Hebrew => "rtl",
            _ => "ltr",
        }
    }

    /// The language of a BCP 47 tag, whatever its script and region: `de-CH` is German.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next()?.to_ascii_lowercase();
        // Hebrew had another code until 1989, which some systems still send.
        let primary = if primary == "iw" { "he" } else { &*primary };
        Self::ALL.into_iter().find(|language| language.tag() == primary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_leads_to_its_language_whatever_the_region() {
        for language in Language::ALL {
            assert_eq!(Language::of_tag(language.tag()), Some(language));
        }
        for (tag, language) in [
            ("de-CH", Some(Language::German)),
            ("PT_br", Some(Language::Portuguese)),
            ("zh-Hant-TW", Some(Language::Chinese)),
            ("iw-IL", Some(Language::Hebrew)),
            ("sv", None),
            ("", None),
            ("*", None),
        ] {
            assert_eq!(Language::of_tag(tag), language, "{tag}");
        }
    }
}
