//! The tables `[[webhooks]]` of the settings file. They are in no other place: a secret has no flag, and a list of
//! receivers no variable.

use std::{
    collections::BTreeSet,
    fmt::Write,
    path::{Path, PathBuf},
};

use toml::de::{DeTable, DeValue};

use super::{error::ConfigError, source::Source, tables::quoted};
use crate::{
    storage::secret_file::{self, ExposedError, SecretFileError},
    webhooks::{
        EventKind, ParseReceiverUrlError, ParseRoomPatternError, ParseSecretError, ReceiverUrl,
        RoomFilter, Webhook, WebhookSecret,
    },
};

/// The setting that names the file with a secret.
pub(super) const SECRET_FILE: &str = "secret-file";

/// One receiver as it is set.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// What follows from it.
    pub webhook: Webhook,
    /// The URL as it is written.
    url: String,
    /// The file with the secret; none where the secret is in the settings file itself.
    pub(super) secret_file: Option<PathBuf>,
}

/// What is wrong with a table.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// There is no such key.
    #[error(
        "there is no {key} in [[webhooks]]: the keys are url, secret, secret-file, rooms and events"
    )]
    UnknownKey {
        /// The key.
        key: String,
    },
    /// A value has the wrong type.
    #[error("{key} in [[webhooks]] has to be {expected}")]
    Type {
        /// The key.
        key: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// There is no URL.
    #[error("a [[webhooks]] needs a url, like \"https://backend.example/hooks\"")]
    NoUrl,
    /// The URL can't be used.
    #[error("url in [[webhooks]]: {0}")]
    Url(#[from] ParseReceiverUrlError),
    /// There is no secret, or there are two.
    #[error(
        "a [[webhooks]] needs either secret-file or secret, so that the receiver can tell who sent a message"
    )]
    NoSecret,
    /// The secret can't be used.
    #[error("the secret of a [[webhooks]]: {0}")]
    Secret(#[from] ParseSecretError),
    /// The file with the secret can't be read.
    #[error("the secret-file of a [[webhooks]], {}, can't be read: {source}", path.display())]
    SecretFile {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// Others can read the secret.
    #[error("{0} A secret can also be in a file of its own, which secret-file names")]
    Exposed(ExposedError),
    /// The rooms are none.
    #[error("rooms in [[webhooks]] has to be {0}")]
    Rooms(#[from] ParseRoomPatternError),
    /// The events are none.
    #[error("events in [[webhooks]] has to be a list of some of {}", EventKind::ALL.map(EventKind::name).join(", "))]
    Events,
}

/// Reads a table; `at` is the line of a key.
pub(super) fn read(
    path: &Path,
    text: &str,
    table: &DeTable<'_>,
    begins: usize,
) -> Result<WebhookSettings, ConfigError> {
    let error = |byte, error| ConfigError::Webhook { at: Source::in_file(path, text, byte), error };
    let mut parts = Parts::default();
    for (key, value) in table {
        parts
            .read(key.get_ref(), value.get_ref())
            .map_err(|wrong| error(key.span().start, wrong))?;
    }
    parts.finish(path).map_err(|wrong| error(begins, wrong))
}

#[derive(Default)]
struct Parts {
    url: Option<String>,
    secret: Option<String>,
    secret_file: Option<PathBuf>,
    rooms: Option<RoomFilter>,
    events: Option<BTreeSet<EventKind>>,
}

impl Parts {
    fn read(&mut self, key: &str, value: &DeValue<'_>) -> Result<(), WebhookError> {
        let string = |key| {
            let text = value.as_str().map(str::to_owned);
            text.ok_or(WebhookError::Type { key, expected: "a string in quotes" })
        };
        match key {
            "url" => self.url = Some(string("url")?),
            "secret" => self.secret = Some(string("secret")?),
            SECRET_FILE => self.secret_file = Some(string(SECRET_FILE)?.into()),
            "rooms" => {
                let rooms = strings(value).ok_or(ParseRoomPatternError)?;
                self.rooms = Some(RoomFilter::parse(rooms)?);
            }
            "events" => {
                let names = strings(value).ok_or(WebhookError::Events)?;
                let kind = |name| EventKind::ALL.into_iter().find(|kind| kind.name() == name);
                let kinds: Option<BTreeSet<_>> = names.into_iter().map(kind).collect();
                let kinds = kinds.filter(|kinds| !kinds.is_empty());
                self.events = Some(kinds.ok_or(WebhookError::Events)?);
            }
            key => return Err(WebhookError::UnknownKey { key: key.to_owned() }),
        }
        Ok(())
    }

    fn finish(self, settings_file: &Path) -> Result<WebhookSettings, WebhookError> {
        let Self { url, secret, secret_file, rooms, events } = self;
        let url = url.ok_or(WebhookError::NoUrl)?;
        let parsed: ReceiverUrl = url.parse()?;
        let secret: WebhookSecret = match (secret, &secret_file) {
            (None, Some(path)) => read_secret(path)?.parse()?,
            (Some(secret), None) => {
                // It is checked as if it were the secret's own file.
                read_secret(settings_file)?;
                secret.parse()?
            }
            _ => return Err(WebhookError::NoSecret),
        };
        let rooms = rooms.unwrap_or_else(RoomFilter::all);
        let events = events.unwrap_or_else(|| BTreeSet::from(EventKind::ALL));
        let webhook = Webhook { url: parsed, secret, rooms, events };
        Ok(WebhookSettings { webhook, url, secret_file })
    }
}

fn read_secret(path: &Path) -> Result<String, WebhookError> {
    match secret_file::read_given(SECRET_FILE, path) {
        Ok(content) => Ok(String::from_utf8_lossy(&content).trim().to_owned()),
        Err(SecretFileError::Unreadable(source)) => {
            Err(WebhookError::SecretFile { path: path.to_owned(), source })
        }
        Err(SecretFileError::Exposed(exposed)) => Err(WebhookError::Exposed(exposed)),
    }
}

fn strings<'table>(value: &'table DeValue<'_>) -> Option<Vec<&'table str>> {
    value.as_array()?.iter().map(|value| value.get_ref().as_str()).collect()
}

/// An example, for a file that has none.
pub(super) const EXAMPLE: &str = "\
# Tells another program who comes and goes. docs/configuration.md has more about it.
# [[webhooks]]
# url = \"https://backend.example/hooks/rollcall\"
# secret-file = \"webhook.secret\"
# rooms = [\"team-*\"]
# events = [\"room.occupied\", \"room.vacated\", \"user.joined\", \"user.left\"]
";

impl WebhookSettings {
    /// What works, but probably not as intended.
    pub(super) fn warning(&self) -> Option<String> {
        let url = &self.webhook.url;
        url.is_readable_on_the_way().then(|| {
            format!("Messages to {url} are not encrypted: everyone on the way can read the names in them. Use https where that is not this machine or a network of its own.")
        })
    }

    /// The table, without its secret.
    pub(super) fn print(&self, text: &mut String) {
        let list = |texts: Vec<String>| {
            texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")
        };
        let _ = writeln!(text, "[[webhooks]]\nurl = {}", quoted(&self.url));
        let _ = match &self.secret_file {
            Some(path) => writeln!(text, "{SECRET_FILE} = {}", quoted(&path.to_string_lossy())),
            None => writeln!(text, "# secret is set; its value is secret."),
        };
        let Webhook { rooms, events, .. } = &self.webhook;
        let events = events.iter().map(|kind| kind.name().to_owned()).collect();
        let rooms = rooms.patterns().collect();
        let _ = writeln!(text, "rooms = [{}]\nevents = [{}]", list(rooms), list(events));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::{Config, Sources};

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// The settings of a file with this text, which only its user can read.
    fn load(directory: &Path, text: &str) -> Result<Config, ConfigError> {
        let file = directory.join("Leptos.toml");
        let state = directory.join("state");
        let presence = format!("[presence]\nstate-dir = {:?}\n", state.to_string_lossy());
        write(&file, &format!("{presence}{text}"), 0o600);
        Config::load(Sources { file: Some(file), ..Sources::default() })
    }

    fn write(path: &Path, text: &str, mode: u32) {
        fs::write(path, text).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        #[cfg(not(unix))]
        let _ = mode;
    }

    #[test]
    fn table_has_a_url_a_secret_and_a_choice() {
        let directory = tempfile::tempdir().unwrap();
        let secret = directory.path().join("webhook.secret");
        write(&secret, &format!("{SECRET}\n"), 0o600);
        let text = format!(
            "[[webhooks]]\nurl = \"https://a.example/h\"\nsecret = \"{SECRET}\"\n[[webhooks]]\nurl = \"http://127.0.0.1:1/h\"\nsecret-file = {:?}\nrooms = [\"team-*\"]\nevents = [\"user.left\"]\n",
            secret.to_string_lossy()
        );
        let mut config = load(directory.path(), &text).unwrap();
        let [all, some] = &config.webhooks[..] else { panic!("{:?}", config.webhooks) };
        assert_eq!(all.webhook.events.len(), 4);
        assert_eq!(all.webhook.rooms, RoomFilter::all());
        assert_eq!(some.webhook.events, BTreeSet::from([EventKind::UserLeft]));
        // What is printed is what was read, but for the secret.
        let printed = crate::config::docs::file(&mut config);
        assert!(!printed.contains(SECRET) && printed.contains("# secret is set"), "{printed}");
        let again = printed.split_once("[[webhooks]]").unwrap().1;
        let again = again
            .replace("# secret is set; its value is secret.", &format!("secret = \"{SECRET}\""));
        let again = load(directory.path(), &format!("[[webhooks]]{again}")).unwrap();
        assert_eq!(again.webhooks.len(), 2);
        assert_eq!(again.webhooks[1].webhook.rooms, RoomFilter::parse(["team-*"]).unwrap());
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let directory = tempfile::tempdir().unwrap();
        let url = "url = \"https://a.example/h\"";
        let secret = format!("secret = \"{SECRET}\"");
        for (table, words) in [
            (secret.clone(), "needs a url"),
            (url.to_owned(), "either secret-file or secret"),
            (format!("{url}\n{secret}\nsecret-file = \"s\""), "either secret-file or secret"),
            (format!("{url}\nsecret = \"abc\""), "whsec_"),
            (format!("{url}\nsecret-file = \"/nowhere\""), "/nowhere, can't be read"),
            (format!("url = \"http://a.example/h\"\n{secret}"), "use https"),
            (format!("url = 7\n{secret}"), "a string in quotes"),
            (format!("{url}\n{secret}\nrooms = []"), "lobby"),
            (format!("{url}\n{secret}\nrooms = \"lobby\""), "lobby"),
            (format!("{url}\n{secret}\nevents = [\"user.came\"]"), "user.joined"),
            (format!("{url}\n{secret}\nroom = [\"lobby\"]"), "the keys are url"),
        ] {
            let error = load(directory.path(), &format!("[[webhooks]]\n{table}\n")).unwrap_err();
            let sentence = error.to_string();
            assert!(sentence.contains(words), "{table}: {sentence}");
            assert!(sentence.contains("Leptos.toml, line "), "{sentence}");
            assert!(!sentence.contains(SECRET), "{sentence}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn secret_that_all_users_can_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let secret = directory.path().join("webhook.secret");
        write(&secret, SECRET, 0o644);
        let path = secret.to_string_lossy();
        let table =
            format!("[[webhooks]]\nurl = \"https://a.example/h\"\nsecret-file = {path:?}\n");
        let sentence = load(directory.path(), &table).unwrap_err().to_string();
        assert!(sentence.contains("chmod o="), "{sentence}");
        write(&secret, SECRET, 0o640);
        assert!(load(directory.path(), &table).is_ok());
        // One in the settings file makes that a secret.
        let table = format!("[[webhooks]]\nurl = \"https://a.example/h\"\nsecret = \"{SECRET}\"\n");
        assert!(load(directory.path(), &table).is_ok());
        let file = directory.path().join("Leptos.toml");
        let text = fs::read_to_string(&file).unwrap();
        write(&file, &text, 0o644);
        let sources = Sources { file: Some(file), ..Sources::default() };
        let sentence = Config::load(sources).unwrap_err().to_string();
        assert!(sentence.contains("chmod o=") && sentence.contains("Leptos.toml"), "{sentence}");
    }
}
