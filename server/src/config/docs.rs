//! Generated documents: the settings file and the reference page, docs/configuration.md.

use std::fmt::Write;

use super::{
    Config,
    all_settings::{self, GROUPS},
    rooms,
    setting::{Section, Setting},
    tables::quoted,
    token_keys,
    value::ValueKind,
    webhooks,
};

/// The head of the file that `--print-config` prints.
const FILE_HEAD: &str = "\
# The settings of the server. Precedence: flag > environment > file > default.
# `rollcall --help` and docs/configuration.md list all of them; `rollcall --print-config` prints this file with the current values.
";

/// The settings file that results in `config`, with an explanation for each setting.
pub fn file(config: &mut Config) -> String {
    let mut text = FILE_HEAD.to_owned();
    for section in Section::ALL {
        let _ = write!(text, "\n{}\n", section.header());
        for setting in all_settings::all().filter(|setting| setting.section() == section) {
            let _ = write!(text, "\n# {}\n", setting.help());
            text += &entry(setting, config);
        }
    }
    text.push('\n');
    if config.webhooks.is_empty() {
        text += webhooks::EXAMPLE;
    }
    for webhook in &config.webhooks {
        webhook.print(&mut text);
    }
    text.push('\n');
    if config.token_keys.is_empty() {
        text += token_keys::EXAMPLE;
    }
    for key in config.token_keys.sources() {
        token_keys::print(key, &mut text);
    }
    text.push('\n');
    if config.rooms.rules().is_empty() {
        text += rooms::EXAMPLE;
    }
    for rule in config.rooms.rules() {
        rooms::print(rule, &mut text);
    }
    text
}

/// `key = value`, or a commented example where the setting is unset or secret.
fn entry(setting: &Setting, config: &mut Config) -> String {
    let key = setting.key();
    let value = setting.value(config);
    match value.format() {
        Some(_) if setting.is_secret() => format!("# {key} is set; its value is secret.\n"),
        Some(text) => format!("{key} = {}\n", to_toml(value.kind(), &text)),
        None => {
            let example = to_toml(value.kind(), value.placeholder());
            let default = setting.default_text(&mut Config::default());
            format!("# Default: {default}\n# {key} = {example}\n")
        }
    }
}

fn to_toml(kind: ValueKind, text: &str) -> String {
    match kind {
        ValueKind::Number | ValueKind::Switch => text.to_owned(),
        ValueKind::Text | ValueKind::Duration => quoted(text),
        ValueKind::List => {
            format!("[{}]", text.split(',').map(quoted).collect::<Vec<_>>().join(", "))
        }
    }
}

/// The reference page, docs/configuration.md.
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
    text + WEBHOOKS + TOKENS
}

fn row(setting: &Setting, defaults: &mut Config) -> String {
    let placeholder = setting.value(defaults).placeholder();
    let flag = setting.flag().map_or_else(
        || "none: other users can see the command line".to_owned(),
        |flag| format!("`--{flag} {}`", placeholder.replace('|', "\\|")),
    );
    let (header, key) = (setting.section().header(), setting.key());
    let (variable, default) = (setting.variable(), setting.default_text(defaults));
    format!("| `{key}` in `{header}` | `{variable}` | {flag} | {default} |")
}

const PAGE_HEAD: &str = "\
# Configuration

Every setting can be set by a flag, in the environment and in the file. Precedence: flag > environment > file > default.
The file is `Leptos.toml` in the working directory, or the one given with `--config`. It is optional.
An unknown key or an invalid value is an error: the server does not start, and the message names the key and the line.

`rollcall --print-config` prints the file with the values that result from file, environment and flags; `rollcall --check-config` only checks them, with the files, directories and addresses that they name.
`rollcall --lan` listens on all interfaces, and prints the URL for other devices on the network.
A duration is a number with a unit: `500ms`, `10s`, `5m`, `2h`. In the file it is in quotes. A number alone is seconds.
A list is `[\"one\", \"two\"]` in the file, and `one,two` elsewhere.

| exit status | meaning |
| --- | --- |
| 0 | success |
| 1 | runtime error |
| 2 | invalid flags |
| 69 | address in use or not of this machine, or state directory locked by another server |
| 78 | invalid settings, or unusable state directory |

This page is generated from the same definitions as `rollcall --help`.
";

const WEBHOOKS: &str = "
## Webhooks

Each table `[[webhooks]]` of the file is a program that is told who comes and goes ([for what, and how](integrate.md#webhooks)). They are in the file alone, and not for several servers with `cluster-engine`.

```toml
[[webhooks]]
url = \"https://backend.example/hooks/rollcall\"
secret-file = \"/etc/rollcall/webhook.secret\"
rooms = [\"lobby\", \"team-*\"]
events = [\"user.joined\", \"user.left\"]
```

| key | meaning | default |
| --- | --- | --- |
| `url` | Where messages are sent: `https`, or `http` to `localhost` or an address. No redirect is followed. | needed |
| `secret-file` | File with the secret that messages are signed with, `whsec_` and 24 to 64 random bytes in base64, which the receiver has as well. Not all users may be able to read it. | needed, or `secret` |
| `secret` | The secret itself. Then not all users may be able to read the settings file. | |
| `rooms` | Rooms, or beginnings of their names with `*`. | all |
| `events` | Some of `room.occupied`, `room.vacated`, `user.joined` and `user.left`. | all |
";

const TOKENS: &str = "
## Token keys

Each table `[[token-keys]]` of the file, up to 8, is a key of another application: the tokens that it signs say [who a visitor is](integrate.md#your-own-accounts), and what they may do in which rooms. They are in the file alone. SIGHUP reads the keys' files again: a key whose file is gone is used no longer, one that can't be read stays as it was, and open connections go on. New tables need a restart. With `cluster-engine` all servers need the same keys.

With a key, the `Authorization: Bearer` of every request to a room is read as a token, also that of a proxy that authenticates: such a proxy has to take it away.

```toml
[[token-keys]]
kid = \"app-1\"
algorithm = \"HS256\"
file = \"/etc/rollcall/token.secret\"
issuer = \"https://app.example\"
```

| key | meaning | default |
| --- | --- | --- |
| `kid` | The name of the key, which its tokens have in their header: up to 64 letters, digits and `-_.`. | needed |
| `algorithm` | `HS256`, with a secret that both have, or `EdDSA`, with the public key of Ed25519 alone. | needed |
| `file` | For `HS256` a line of at least 32 random characters, as `openssl rand -base64 48` makes it; not all users may be able to read it. The text is the key: it is not decoded. For `EdDSA` the public key in PEM, and none for which anybody can sign. | needed |
| `issuer` | The `iss` that its tokens have to have. Set it where several applications have keys: else each can speak for the others. | any |
| `audience` | The `aud` that its tokens have to have, or to have among others. | no `aud` |

## Access to rooms

Each table `[[rooms]]` of the file says for whom some rooms are. The first that matches a room counts; all other rooms are open. They are in the file alone, and with `cluster-engine` they have to be [the same on all servers](cluster.md#rooms-and-token-keys).

```toml
[[rooms]]
match = \"team-*\"
watch = \"token\"
join = \"token\"
```

| key | meaning | default |
| --- | --- | --- |
| `match` | A room, or the beginning of rooms' names with `*`. | needed |
| `watch` | Who sees who is there: `open` for everybody, `token` for who has a token for the room, `closed` for nobody. No address tells a name of a room to anybody else, but to [keys](operations.md#api-keys), [webhooks](#webhooks) and the operator. | `open` |
| `join` | Who may be on the list, likewise. It is never more open than `watch`. | as `watch` |
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::assert_is_up_to_date;

    #[test]
    fn the_settings_file_in_the_repository_is_up_to_date() {
        assert_is_up_to_date("Leptos.toml", &file(&mut Config::default()));
    }

    #[test]
    fn the_reference_page_in_the_repository_is_up_to_date() {
        assert_is_up_to_date("docs/configuration.md", &page());
    }
}
