//! The list as CSV (RFC 4180).

use app::presence::ExistingUsers;

use super::{local_time::LocalTime, options::ExportOptions};

/// The columns. New ones come last, so that those before keep their places.
///
/// Date and time also stand alone: no spreadsheet takes a time with an offset for anything but text.
const COLUMNS: [&str; 6] = ["name", "state", "here since", "id", "date", "time"];

/// Spreadsheets run a cell that begins with one of these as a formula.
const FORMULA_PREFIXES: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// What spreadsheets read as a truth value, in the languages that Excel translates it to.
const TRUTH_VALUES: [&str; 28] = [
    "true",
    "false",
    "wahr",
    "falsch",
    "vrai",
    "faux",
    "verdadero",
    "falso",
    "vero",
    "verdadeiro",
    "waar",
    "onwaar",
    "prawda",
    "fałsz",
    "doğru",
    "yanlış",
    "sant",
    "falskt",
    "sand",
    "falsk",
    "sann",
    "usann",
    "tosi",
    "epätosi",
    "pravda",
    "nepravda",
    "истина",
    "ложь",
];

/// What stands before a text that a spreadsheet would not read as text, and before one that begins with it.
///
/// So whoever takes one of it away has the text, and two texts never become equal.
const TEXT_MARK: char = '\'';

/// A header and a line for each person.
///
/// It begins with a byte order mark: without one, Excel does not decode it as UTF-8. It has no line `sep=;`,
/// after which Excel ignores that mark, and which others take for a person.
pub(super) fn as_csv(list: &ExistingUsers, options: ExportOptions) -> String {
    let separator = options.separator.as_str();
    let mut table = String::from("\u{feff}");
    table.push_str(&COLUMNS.join(separator));
    table.push_str("\r\n");
    for user in &list.users {
        let since = LocalTime::new(user.joined, options.offset);
        let cells = [
            text_cell(user.name.as_str()),
            text_cell(user.state.as_str()),
            cell(&since.to_rfc3339()),
            id_cell(user.id.as_str()),
            cell(&since.date()),
            cell(&since.clock()),
        ];
        table.push_str(&cells.join(separator));
        table.push_str("\r\n");
    }
    table
}

/// A cell that spreadsheets read as text.
pub(super) fn text_cell(text: &str) -> String {
    if is_marked(text) { marked_cell(text) } else { cell(text) }
}

/// A cell with an id, which is text unless it looks like a formula or a number: nearly all ids have a digit.
pub(super) fn id_cell(id: &str) -> String {
    let has_letter =
        id.contains(|letter: char| letter.is_ascii_alphabetic() && !"eE".contains(letter));
    if id.starts_with(FORMULA_PREFIXES) || !has_letter { marked_cell(id) } else { cell(id) }
}

fn marked_cell(text: &str) -> String {
    cell(&format!("{TEXT_MARK}{text}"))
}

/// A cell, always quoted, which is valid for any text.
pub(super) fn cell(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Whether a spreadsheet would read it as a formula, number, date or truth value, or it begins with the mark.
fn is_marked(text: &str) -> bool {
    text.starts_with(TEXT_MARK)
        || text.starts_with(FORMULA_PREFIXES)
        // Numbers, dates and times in all their forms (`007`, `1/2`, `1E5`, `3 May`) have a digit.
        || text.contains(char::is_numeric)
        || TRUTH_VALUES.contains(&text.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::tests::list, *};
    use crate::http::export::options::Separator;
    use app::presence::Name;

    /// Parses CSV (RFC 4180, section 2), with any separator.
    fn parse_csv(table: &str, separator: char) -> Vec<Vec<String>> {
        let mut records = vec![vec![String::new()]];
        let mut characters = table.chars().peekable();
        let mut is_quoted = false;
        while let Some(character) = characters.next() {
            let record = records.last_mut().unwrap();
            match character {
                '"' if is_quoted && characters.peek() == Some(&'"') => {
                    characters.next();
                    record.last_mut().unwrap().push('"');
                }
                '"' => is_quoted = !is_quoted,
                other if other == separator && !is_quoted => record.push(String::new()),
                '\r' if !is_quoted => {
                    assert_eq!(characters.next(), Some('\n'));
                    records.push(vec![String::new()]);
                }
                other => record.last_mut().unwrap().push(other),
            }
        }
        assert!(!is_quoted);
        assert_eq!(records.pop(), Some(vec![String::new()]), "the last line is ended too");
        records
    }

    fn any_name() -> impl Strategy<Value = String> {
        let any =
            prop_oneof![any::<String>(), "[=+@＝-]?[a-c\",;']{1,6}", "'{0,3}[=0-9/.:E-]{1,6}"];
        any.prop_filter("names only", |name| Name::parse(name).is_ok())
    }

    fn any_separator() -> impl Strategy<Value = Separator> {
        prop_oneof![Just(Separator::Comma), Just(Separator::Semicolon), Just(Separator::Tab)]
    }

    proptest! {
        /// For any names and separator, a reader finds each in its place as text, and gets it back.
        #[test]
        fn every_name_is_a_text_cell(
            names in prop::collection::vec(any_name(), 0..9),
            separator in any_separator(),
        ) {
            let list = list(&names);
            let options = ExportOptions { separator, ..ExportOptions::parse("offset=60").unwrap() };
            let table = as_csv(&list, options);
            let separator = separator.as_str().chars().next().unwrap();
            let records = parse_csv(table.strip_prefix('\u{feff}').unwrap(), separator);
            prop_assert_eq!(&records[0], &COLUMNS);
            prop_assert_eq!(records.len(), names.len() + 1);
            for (record, user) in records[1..].iter().zip(&list.users) {
                let [name, state, since, id, date, time] = &record[..] else { panic!("{record:?}") };
                prop_assert!(!name.starts_with(FORMULA_PREFIXES));
                prop_assert_eq!(name.strip_prefix(TEXT_MARK).unwrap_or(name), user.name.as_str());
                prop_assert_eq!(state, user.state.as_str());
                prop_assert_eq!(id.strip_prefix(TEXT_MARK).unwrap_or(id), user.id.as_str());
                prop_assert_eq!(since, &format!("{date}T{time}+01:00"));
            }
        }
    }

    #[test]
    fn texts_that_spreadsheets_would_convert_are_marked() {
        for text in [
            "=1+1", "@sum", "＝1", "-", "007", "1/2", "1E5", "3 May", "½", "TRUE", "Wahr", "'",
            "'=1",
        ] {
            assert_eq!(text_cell(text), format!("\"'{text}\""));
        }
        for text in ["Ana Sousa", "O'Neill", "E", "True North", "李小龍"] {
            assert_eq!(text_cell(text), format!("\"{text}\""));
        }
        assert_ne!(text_cell("'=1"), text_cell("=1"));
        for (id, cell) in [
            ("-Pvn_teP6I0", "'-Pvn_teP6I0"),
            ("12345678e10", "'12345678e10"),
            ("1MEh6t0sSNB", "1MEh6t0sSNB"),
        ] {
            assert_eq!(id_cell(id), format!("\"{cell}\""));
        }
        assert_eq!(text_cell("Ana \"the\" Sousa, PhD"), "\"Ana \"\"the\"\" Sousa, PhD\"");
    }

    #[test]
    fn people_of_one_name_have_different_ids() {
        let list = list(&["Jo Blogs".to_owned(), "Jo Blogs".to_owned()]);
        let table = as_csv(&list, ExportOptions::parse("separator=;").unwrap());
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines[0], "\u{feff}name;state;here since;id;date;time");
        assert_eq!(
            lines[1],
            r#""Jo Blogs";"here";"2023-11-14T22:13:20Z";"user---0000";"2023-11-14";"22:13:20""#
        );
        assert!(lines[2].contains("user---0001"), "{table}");
    }
}
