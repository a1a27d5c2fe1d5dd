//! What is written about the settings: the file itself, and the page of reference.

use std::fmt::Write;

use super::{
    Config,
    setting::{Section, Setting},
    settings::{self, GROUPS},
    value::ValueKind,
};

/// The head of the file that `--print-config` prints.
const FILE_HEAD: &str = "\
# The settings of the running server. Each can also be set in the environment and by a flag, which are stronger:
# `rollcall --help` and docs/configuration.md name them. `rollcall --print-config` prints this file as things are.
";

/// The settings' file that says the same as `config`, with an explanation for each setting.
pub fn file(config: &mut Config) -> String {
    let mut text = FILE_HEAD.to_owned();
    for section in Section::ALL {
        let _ = write!(text, "\n{}\n", section.header());
        for setting in settings::all().filter(|setting| setting.section() == section) {
            let _ = write!(text, "\n# {}\n", setting.help());
            text += &line(setting, config);
        }
    }
    text
}

/// `key = value`, or why there is none.
fn line(setting: &Setting, config: &mut Config) -> String {
    let key = setting.key();
    let value = setting.value(config);
    match value.format() {
        Some(_) if setting.is_secret() => format!("# {key} is set, and shown to nobody.\n"),
        Some(written) => format!("{key} = {}\n", in_toml(value.kind(), &written)),
        None => {
            let example = in_toml(value.kind(), value.placeholder());
            let default = setting.default_in_words(&mut Config::default());
            format!("# Default: {default}\n# {key} = {example}\n")
        }
    }
}

fn in_toml(form: ValueKind, written: &str) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    match form {
        ValueKind::Number | ValueKind::Switch => written.to_owned(),
        ValueKind::Text => quoted(written),
        ValueKind::List => {
            format!("[{}]", written.split(',').map(quoted).collect::<Vec<_>>().join(", "))
        }
    }
}

/// The page of reference, docs/configuration.md.
pub fn page() -> String {
    let mut text = PAGE_HEAD.to_owned();
    let mut defaults = Config::default();
    for group in GROUPS {
        let _ = write!(text, "\n## {}\n", group.title);
        for setting in group.settings {
            let _ = write!(text, "\n### `{}`\n\n{}\n\n", setting.key(), setting.help());
            let _ = writeln!(text, "| file | environment | flag | default |");
            let _ = writeln!(text, "| --- | --- | --- | --- |");
            let _ = writeln!(text, "{}", row(setting, &mut defaults));
        }
    }
    text
}

fn row(setting: &Setting, defaults: &mut Config) -> String {
    let placeholder = setting.value(defaults).placeholder();
    let flag = setting.flag().map_or_else(
        || "none: others can see what is typed".to_owned(),
        |flag| format!("`--{flag} {}`", placeholder.replace('|', "\\|")),
    );
    let (header, key) = (setting.section().header(), setting.key());
    let (variable, default) = (setting.variable(), setting.default_in_words(defaults));
    format!("| `{key}` in `{header}` | `{variable}` | {flag} | {default} |")
}

const PAGE_HEAD: &str = "\
# Configuration

Every setting can be set in the file, in the environment and by a flag: the later of these is the stronger.
The file is `Leptos.toml` in the working directory, or the one that `--config` names; without it, everything has its default.
A key that is not known, or a value that can't be, is an error that names the key and the line, and the server does not start.

`rollcall --print-config` prints the file as everything is after file, environment and flags; `rollcall --check-config` only says whether it is in order.
`rollcall --lan` listens on every interface, and prints the address that others on the network can open.
A time is a number and its unit: `500ms`, `10s`, `5m`, `2h`.
A list is `[\"one\", \"two\"]` in the file, and `one,two` elsewhere.

| exit status | meaning |
| --- | --- |
| 0 | all is well |
| 1 | something failed while it ran |
| 2 | wrong flags |
| 69 | the address can't be listened on, or another server has the state directory |
| 78 | wrong settings, or a state directory that can't be used |

This page is made from the same definitions as the program's `--help`.
";

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// Compares what is generated with what is in the repository, or, when asked to, puts it there.
    fn is_in_the_repository(name: &str, generated: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
        if std::env::var_os("UPDATE_REFERENCE").is_some() {
            fs::write(&path, generated).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == generated,
            "{name} is not what the settings say: run the tests of `server` once with UPDATE_REFERENCE=1."
        );
    }

    #[test]
    fn the_settings_file_says_what_the_program_says() {
        is_in_the_repository("Leptos.toml", &file(&mut Config::default()));
    }

    #[test]
    fn the_page_of_reference_says_what_the_program_says() {
        is_in_the_repository("docs/configuration.md", &page());
    }
}
