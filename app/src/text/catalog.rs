//! The words of every language, read from `app/languages`.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, OnceLock},
};

use icu_decimal::{DecimalFormatter, input::Decimal, options::DecimalFormatterOptions};
use icu_locale_core::Locale;
use icu_plurals::{PluralCategory, PluralRules};
use toml::{Table, Value};

use super::{
    language::Language,
    texts::{FORM_SEPARATOR, ServerText, Text},
};

#[cfg(test)]
mod side_by_side;
#[cfg(test)]
mod tests;

/// The words of one language, and its rules.
#[derive(Debug)]
pub(crate) struct Catalog {
    /// One line for each [`Text`].
    page: Vec<Box<str>>,
    /// The same as one text.
    page_lines: Box<str>,
    /// One line for each [`ServerText`].
    server: Vec<Box<str>>,
    /// What scripts say, by key.
    scripts: BTreeMap<Box<str>, Box<str>>,
    plural_rules: Option<PluralRules>,
    number_format: Option<DecimalFormatter>,
}

/// Each is read when a page needs it for the first time.
static CATALOGS: [OnceLock<Catalog>; Language::ALL.len()] =
    [const { OnceLock::new() }; Language::ALL.len()];

static ENGLISH: LazyLock<Table> = LazyLock::new(|| table(Language::English));

impl Catalog {
    /// The catalog of the language in the context; English without one.
    pub(crate) fn of_context() -> &'static Self {
        Self::of(Language::of_context())
    }

    /// The catalog of a language.
    pub(crate) fn of(language: Language) -> &'static Self {
        let place = Language::ALL.iter().position(|other| *other == language);
        CATALOGS[place.unwrap_or_default()].get_or_init(|| Self::read(language))
    }

    pub(super) fn page_line(&self, index: usize) -> &str {
        self.page.get(index).map(AsRef::as_ref).unwrap_or_default()
    }

    pub(super) fn server_line(&self, index: usize) -> &str {
        self.server.get(index).map(AsRef::as_ref).unwrap_or_default()
    }

    /// What scripts say, by key.
    pub(crate) fn scripts(&self) -> &BTreeMap<Box<str>, Box<str>> {
        &self.scripts
    }

    /// The lines of all [`Text`]s, for the browser's program.
    pub(crate) fn page_lines(&self) -> &str {
        &self.page_lines
    }

    pub(super) fn number(&self, number: usize) -> String {
        match &self.number_format {
            Some(format) => format.format(&Decimal::from(number)).to_string(),
            None => number.to_string(),
        }
    }

    pub(super) fn plural_category(&self, count: usize) -> usize {
        let category = match &self.plural_rules {
            Some(rules) => rules.category_for(count),
            None => PluralCategory::Other,
        };
        CATEGORIES.iter().position(|(_, known)| *known == category).unwrap_or_default()
    }

    fn read(language: Language) -> Self {
        let own = table(language);
        let section = |name: &str, keys: &[&str]| -> Vec<Box<str>> {
            keys.iter().map(|key| line(&own, name, &kebab_case(key))).collect()
        };
        let page = section("page", Text::KEYS);
        let keys = ENGLISH.get("scripts").and_then(Value::as_table).map(Table::keys);
        let scripts = keys.into_iter().flatten();
        // Digits are Latin everywhere, as in the browser.
        let locale = format!("{}-u-nu-latn", language.tag()).parse().unwrap_or(Locale::UNKNOWN);
        Self {
            page_lines: page.join("\n").into(),
            page,
            server: section("server", ServerText::KEYS),
            scripts: scripts.map(|key| (key.as_str().into(), line(&own, "scripts", key))).collect(),
            plural_rules: PluralRules::try_new_cardinal((&locale).into()).ok(),
            number_format: DecimalFormatter::try_new(
                (&locale).into(),
                DecimalFormatterOptions::default(),
            )
            .ok(),
        }
    }
}

/// The plural categories of CLDR, in the order of their forms in a line.
const CATEGORIES: [(&str, PluralCategory); 6] = [
    ("zero", PluralCategory::Zero),
    ("one", PluralCategory::One),
    ("two", PluralCategory::Two),
    ("few", PluralCategory::Few),
    ("many", PluralCategory::Many),
    ("other", PluralCategory::Other),
];

/// The words of a key as one line; the English ones if the language has none.
fn line(own: &Table, section: &str, key: &str) -> Box<str> {
    let find = |table: &Table| table.get(section)?.get(key).cloned();
    let Some(original) = find(&ENGLISH) else { return key.into() };
    let placeholders = placeholders(&original);
    let words = match find(own).unwrap_or(original) {
        Value::String(words) => words,
        Value::Table(forms) => {
            let form = |(name, _): (&str, PluralCategory)| {
                forms.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            CATEGORIES.map(form).join(&FORM_SEPARATOR.to_string())
        }
        _ => String::new(),
    };
    let numbered = placeholders.iter().enumerate().fold(words, |words, (index, name)| {
        words.replace(&format!("{{{name}}}"), &format!("{{{index}}}"))
    });
    numbered.into()
}

/// The names of the placeholders of a text, in order; of a plural text those of its form for other numbers.
fn placeholders(text: &Value) -> Vec<String> {
    let words = text.as_str().or_else(|| text.get("other")?.as_str()).unwrap_or_default();
    let mut names = Vec::new();
    for part in words.split('{').skip(1) {
        let name = part.split('}').next().unwrap_or_default().to_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// `HereNow` is `here-now`.
fn kebab_case(variant: &str) -> String {
    let mut key = String::new();
    for character in variant.chars() {
        if character.is_ascii_uppercase() && !key.is_empty() {
            key.push('-');
        }
        key.push(character.to_ascii_lowercase());
    }
    key
}

/// What the file of a language says.
fn table(language: Language) -> Table {
    // The files are a part of the program, and a test reads them all.
    file(language).parse().unwrap_or_default()
}

/// The file of a language.
pub(super) fn file(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("../../languages/en.toml"),
        Language::German => include_str!("../../languages/de.toml"),
        Language::French => include_str!("../../languages/fr.toml"),
        Language::Spanish => include_str!("../../languages/es.toml"),
        Language::Portuguese => include_str!("../../languages/pt.toml"),
        Language::Italian => include_str!("../../languages/it.toml"),
        Language::Dutch => include_str!("../../languages/nl.toml"),
        Language::Polish => include_str!("../../languages/pl.toml"),
        Language::Ukrainian => include_str!("../../languages/uk.toml"),
        Language::Turkish => include_str!("../../languages/tr.toml"),
        Language::Arabic => include_str!("../../languages/ar.toml"),
        Language::Hebrew => include_str!("../../languages/he.toml"),
        Language::Hindi => include_str!("../../languages/hi.toml"),
        Language::Chinese => include_str!("../../languages/zh.toml"),
        Language::Japanese => include_str!("../../languages/ja.toml"),
    }
}
