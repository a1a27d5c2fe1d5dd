//! What every language file has to keep: the keys, placeholders and plural forms of English, and clean texts.

use std::{collections::BTreeSet, fs, path::Path};

use super::*;

/// These are worded by the server in English, see `RequestError`.
const EMPTY_IN_ENGLISH: [&str; 6] =
    ["name-not-allowed", "not-listed", "room-closed", "room-full", "too-many-tabs", "too-fast"];

const SAMPLE_COUNTS: [usize; 5] = [0, 1, 2, 5, 21];

static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    let parse = |language: Language| {
        file(language).parse().unwrap_or_else(|error| panic!("{}.toml: {error}", language.tag()))
    };
    Language::ALL.into_iter().map(parse).collect()
});

fn table(language: Language) -> &'static Table {
    let place = Language::ALL.into_iter().position(|known| known == language);
    &TABLES[place.unwrap()]
}

/// The sections and keys of a file, in its order: a [`Table`] is sorted.
pub(super) fn keys(language: Language) -> Vec<(String, String)> {
    let mut section = "";
    let mut keys = Vec::new();
    for line in file(language).lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            keys.push((section.to_owned(), key.to_owned()));
        }
    }
    keys
}

/// The words of a key: each form with its plural category, or the only one with an empty category.
pub(super) fn forms(language: Language, section: &str, key: &str) -> Vec<(String, String)> {
    match &table(language)[section][key] {
        Value::String(words) => vec![(String::new(), words.clone())],
        Value::Table(forms) => {
            let known = CATEGORIES.iter().map(|(name, _)| *name);
            let named =
                known.filter_map(|name| Some((name.into(), forms.get(name)?.as_str()?.into())));
            named.collect()
        }
        other => panic!("{}.toml: {key} is {other}", language.tag()),
    }
}

/// Calls this for each text: language, section, key, and its forms as of [`forms`].
fn for_each(mut check: impl FnMut(Language, &str, &str, Vec<(String, String)>)) {
    for language in Language::ALL {
        for (section, key) in keys(language) {
            check(language, &section, &key, forms(language, &section, &key));
        }
    }
}

fn placeholders_of(words: &str) -> Vec<String> {
    let mut names = Vec::new();
    for part in words.split('{').skip(1) {
        names.push(part.split_once('}').unwrap_or_else(|| panic!("no '}}' in {words}")).0.into());
    }
    names.sort();
    names
}

fn category(language: Language, count: usize) -> &'static str {
    CATEGORIES[Catalog::of(language).plural_category(count)].0
}

/// Whether only one number has this category: then the form may have the number in words, or without it.
fn has_one_number(language: Language, name: &str) -> bool {
    (0..=200).filter(|count| category(language, *count) == name).count() == 1
}

#[test]
fn every_language_file_is_valid_toml() {
    for language in Language::ALL {
        let error = file(language).parse::<Table>().err().map(|error| error.to_string());
        assert_eq!(error, None, "{}.toml", language.tag());
    }
}

#[test]
fn every_language_has_the_keys_of_english_in_the_same_order() {
    let english = keys(Language::English);
    for language in Language::ALL {
        let own = keys(language);
        let missing: Vec<_> = english.iter().filter(|key| !own.contains(key)).collect();
        let unknown: Vec<_> = own.iter().filter(|key| !english.contains(key)).collect();
        assert!(missing.is_empty(), "{}.toml lacks {missing:?}", language.tag());
        assert!(unknown.is_empty(), "{}.toml has {unknown:?}, English does not", language.tag());
        assert_eq!(own, english, "{}.toml is in another order", language.tag());
        let sections = table(language);
        let count: usize = sections.values().map(|section| section.as_table().unwrap().len()).sum();
        assert_eq!(count, own.len(), "{}.toml: one text a line", language.tag());
    }
}

#[test]
fn every_text_of_the_program_is_in_the_english_file() {
    let english = keys(Language::English);
    for (section, variants) in [("page", Text::KEYS), ("server", ServerText::KEYS)] {
        for variant in variants {
            let key = (section.to_owned(), kebab_case(variant));
            assert!(english.contains(&key), "{variant} is no key of [{section}] in en.toml");
        }
    }
}

#[test]
fn every_plural_text_has_the_categories_of_its_language() {
    for_each(|language, section, key, own| {
        let is_plural = |forms: &[(String, String)]| forms.iter().all(|(name, _)| !name.is_empty());
        let english = forms(Language::English, section, key);
        assert_eq!(is_plural(&own), is_plural(&english), "{} {key}", language.tag());
        if !is_plural(&own) {
            return;
        }
        let rules = Catalog::of(language).plural_rules.as_ref().unwrap();
        let expected: BTreeSet<_> = rules.categories().collect();
        let words = &table(language)[section][key];
        let found = words.as_table().unwrap().keys().map(|name| {
            let known = CATEGORIES.iter().find(|(known, _)| known == name);
            known.unwrap_or_else(|| panic!("{} {key}: {name}", language.tag())).1
        });
        assert_eq!(found.collect::<BTreeSet<_>>(), expected, "{} {key}", language.tag());
    });
}

#[test]
fn every_text_has_the_placeholders_of_english_once() {
    for_each(|language, section, key, own| {
        let english = forms(Language::English, section, key);
        let expected = placeholders_of(&english.last().unwrap().1);
        let without_count: Vec<_> =
            expected.iter().filter(|name| *name != "count").cloned().collect();
        for (name, words) in own {
            let found = placeholders_of(&words);
            let may_lack_count = !name.is_empty() && has_one_number(language, &name);
            assert!(
                found == expected || may_lack_count && found == without_count,
                "{} {key} {name}: {found:?} instead of {expected:?}",
                language.tag()
            );
        }
    });
}

#[test]
fn only_what_the_server_words_is_empty_and_only_in_english() {
    for_each(|language, _, key, own| {
        let is_empty = own.iter().any(|(_, words)| words.is_empty());
        let may_be = language == Language::English && EMPTY_IN_ENGLISH.contains(&key);
        assert_eq!(is_empty, may_be, "{} {key}", language.tag());
    });
}

#[test]
fn texts_are_free_of_separators_straight_quotes_and_stray_spaces() {
    for_each(|language, section, key, own| {
        let original = forms(Language::English, section, key).pop().unwrap().1;
        for (_, words) in own {
            let place = format!("{} {key}: {words:?}", language.tag());
            assert!(!words.contains([FORM_SEPARATOR, '\n', '\r', '\t', '"']), "{place}");
            assert!(language == Language::English || !words.contains('\''), "apostrophe: {place}");
            assert!(!words.contains("  "), "two spaces: {place}");
            let may_start = original.starts_with(' ') || !words.starts_with(char::is_whitespace);
            let may_end = original.ends_with(' ') || !words.ends_with(char::is_whitespace);
            assert!(may_start && may_end, "a space at an end: {place}");
        }
    });
}

#[test]
fn characters_that_cannot_be_seen_are_escaped_in_the_files() {
    for language in Language::ALL {
        for (number, line) in (1..).zip(file(language).lines()) {
            let hidden = |character: char| matches!(character, '\u{a0}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202f}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
            let found = line.chars().find(|character| hidden(*character));
            assert_eq!(found, None, "{}.toml, line {number}", language.tag());
        }
    }
}

#[test]
fn every_number_has_a_form_that_says_it() {
    for_each(|language, section, key, own| {
        if own.iter().all(|(name, _)| name.is_empty()) {
            return;
        }
        let english = forms(Language::English, section, key);
        let has_count = english.iter().any(|(_, words)| words.contains("{count}"));
        for count in SAMPLE_COUNTS {
            let name = category(language, count);
            let form = own.iter().find(|(own, _)| own == name);
            let words = &form.unwrap_or_else(|| panic!("{} {key}: no {name}", language.tag())).1;
            let says_it = words.contains("{count}") || has_one_number(language, name);
            assert!(!has_count || says_it, "{} {key} for {count}: {words}", language.tag());
        }
    });
}

#[test]
fn the_file_of_a_language_has_its_tag_as_a_name() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("languages");
    for language in Language::ALL {
        let path = directory.join(language.tag()).with_extension("toml");
        let is_own = fs::read_to_string(path).unwrap() == file(language);
        assert!(is_own, "{}.toml is not the file of {language:?}", language.tag());
    }
    assert_eq!(fs::read_dir(directory).unwrap().count(), Language::ALL.len());
}

#[test]
fn the_catalog_has_the_words_of_each_language_in_the_order_of_its_keys() {
    for (index, key) in (0..).zip(Text::KEYS) {
        for language in Language::ALL {
            let line = Catalog::of(language).page_line(index);
            let own = forms(language, "page", &kebab_case(key));
            let words = own.into_iter().next().unwrap().1;
            let until_placeholder = words.split('{').next().unwrap_or_default();
            assert!(line.contains(until_placeholder), "{} {key}: {line}", language.tag());
        }
    }
}
