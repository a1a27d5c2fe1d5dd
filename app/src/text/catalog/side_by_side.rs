//! `docs/texts.md`: all texts side by side, for people who correct them.

use std::{env, fmt::Write as _, fs, path::Path};

use super::{
    Language, file,
    tests::{forms, keys},
};

const INTRODUCTION: &str = "\
# Texts

Every text that Rollcall's page says, in all its languages.

- **To correct a text**, edit its line in `app/languages/<language>.toml` (German is `de.toml`), then run
  `UPDATE_REFERENCE=1 cargo test -p app --features ssr text::`, which checks all languages and writes this page.
- **To add a text**, add it to `en.toml` with a comment that says where it stands, to every other file at the same place, and to `Text` or `ServerText` in `app/src/text/texts.rs`.
- **To add a language**, copy `en.toml` to its code, translate it without the comments, and add the language to `app/src/text/language.rs` and to `file` in `app/src/text/catalog.rs`; the compiler and the tests name what is missing.

What stands in braces is filled in, and is in each translation exactly once: `{name}` becomes an element of its own. A plural text has a form for each [plural category](https://www.unicode.org/cldr/charts/latest/supplemental/language_plural_rules.html) of the language; here equal forms stand together.
A form for one number alone may say it in words. `␣` is a space at an end. A no-break space is written as `\\u00A0` in the files, and other characters that can't be seen as their escapes.
";

/// What the page shows for a text that English leaves to the server.
const SERVERS_SENTENCE: &str = "*the server's sentence*";

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    let mut last_section = String::new();
    for (section, key) in keys(Language::English) {
        if section != last_section {
            let _ = write!(page, "\n## `[{section}]`\n");
            last_section.clone_from(&section);
        }
        let _ = write!(page, "\n### `{key}`\n\n");
        if let Some(comment) = comment(&section, &key) {
            let _ = write!(page, "{comment}\n\n");
        }
        page.push_str("| language | text |\n| --- | --- |\n");
        for language in Language::ALL {
            let words = words(&forms(language, &section, &key));
            let _ = writeln!(page, "| {} | {words} |", language.own_name());
        }
    }
    page
}

/// The forms of a text in a cell of a table.
fn words(forms: &[(String, String)]) -> String {
    let mut groups: Vec<(Vec<&str>, &str)> = Vec::new();
    for (category, words) in forms {
        match groups.iter_mut().find(|(_, known)| known == words) {
            Some((categories, _)) => categories.push(category),
            None => groups.push((vec![category], words)),
        }
    }
    if let [(_, words)] = &*groups {
        return visible(words);
    }
    let lines = groups
        .iter()
        .map(|(categories, words)| format!("*{}:* {}", categories.join(", "), visible(words)));
    lines.collect::<Vec<_>>().join("<br>")
}

/// Words whose spaces at the ends can be seen.
fn visible(words: &str) -> String {
    if words.is_empty() {
        return SERVERS_SENTENCE.into();
    }
    let middle = words.trim_matches(' ');
    let [start, end] = [words.starts_with(' '), words.ends_with(' ')]
        .map(|has_space| if has_space { "␣" } else { "" });
    [start, middle, end].concat()
}

/// The comment above a key of the English file.
fn comment(section: &str, key: &str) -> Option<String> {
    let (_, lines) = file(Language::English).split_once(&format!("[{section}]\n"))?;
    let mut comment = Vec::new();
    for line in lines.lines() {
        if line.starts_with(&format!("{key} = ")) {
            break;
        }
        match line.strip_prefix("# ") {
            Some(words) => comment.push(words),
            None => comment.clear(),
        }
    }
    (!comment.is_empty()).then(|| comment.join(" "))
}

#[test]
fn the_page_of_all_texts_in_the_repository_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/texts.md");
    let generated = page();
    if env::var_os("UPDATE_REFERENCE").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == generated,
        "docs/texts.md is out of date: run the tests of `app` once with UPDATE_REFERENCE=1."
    );
}

#[test]
fn equal_forms_stand_together_and_spaces_at_the_ends_are_shown() {
    let forms = |forms: &[(&str, &str)]| -> Vec<(String, String)> {
        forms.iter().map(|(name, words)| ((*name).into(), (*words).into())).collect()
    };
    assert_eq!(words(&forms(&[("", ", ")])), ",␣");
    assert_eq!(words(&forms(&[("", "")])), SERVERS_SENTENCE);
    assert_eq!(words(&forms(&[("one", " new"), ("other", " new")])), "␣new");
    assert_eq!(
        words(&forms(&[("one", "a"), ("few", "b"), ("other", "a")])),
        "*one, other:* a<br>*few:* b"
    );
    assert_eq!(comment("scripts", "failed").unwrap(), "Why a page is not live or can't join.");
    assert_eq!(comment("page", "cancel"), None);
}
