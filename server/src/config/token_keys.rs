//! The tables `[[token-keys]]` of the settings file: the keys of host applications that sign tokens.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use toml::de::{DeTable, DeValue};

use super::{
    error::ConfigError,
    source::Source,
    tables::{self, NotTextError, quoted},
};
use crate::tokens::{
    Algorithm, KeyId, KeySource, MOST_KEYS, ParseKeyIdError, TokenKeyError, TokenKeyring,
};

/// The setting that names the file of a key.
pub(super) const FILE: &str = "file in [[token-keys]]";

/// What is wrong with a table.
#[derive(Debug, thiserror::Error)]
pub enum TokenKeySettingError {
    /// There is no such key.
    #[error(
        "there is no {key} in [[token-keys]]: the keys are kid, algorithm, file, issuer and audience"
    )]
    UnknownKey {
        /// The key.
        key: String,
    },
    /// A value has the wrong type.
    #[error("in [[token-keys]], {0}")]
    Type(#[from] NotTextError),
    /// A key is missing.
    #[error("a [[token-keys]] needs kid, algorithm and file")]
    Incomplete,
    /// The name of the key is none.
    #[error("kid in [[token-keys]] has to be {0}")]
    Id(#[from] ParseKeyIdError),
    /// The algorithm is unknown.
    #[error("algorithm in [[token-keys]] has to be {}", Algorithm::ALL.map(Algorithm::name).join(" or "))]
    Algorithm,
    /// Two keys have one name.
    #[error("two [[token-keys]] have the kid {0}")]
    Twice(KeyId),
    /// There are too many.
    #[error("there are more than {MOST_KEYS} [[token-keys]]")]
    TooMany,
    /// The file has no key.
    #[error("{0}")]
    File(#[from] TokenKeyError),
}

/// Reads a table; `begins` is where it begins.
pub(super) fn read(
    path: &Path,
    text: &str,
    table: &DeTable<'_>,
    begins: usize,
    before: &[KeySource],
) -> Result<KeySource, ConfigError> {
    let error =
        |byte, error| ConfigError::TokenKey { at: Source::in_file(path, text, byte), error };
    let mut parts = Parts::default();
    for (key, value) in table {
        let read = parts.read(key.get_ref(), value.get_ref());
        read.map_err(|wrong| error(key.span().start, wrong))?;
    }
    parts.finish(before).map_err(|wrong| error(begins, wrong))
}

#[derive(Default)]
struct Parts {
    id: Option<KeyId>,
    algorithm: Option<Algorithm>,
    file: Option<PathBuf>,
    issuer: Option<String>,
    audience: Option<String>,
}

impl Parts {
    fn read(&mut self, key: &str, value: &DeValue<'_>) -> Result<(), TokenKeySettingError> {
        match key {
            "kid" => self.id = Some(tables::text("kid", value)?.parse()?),
            "algorithm" => {
                let name = tables::text("algorithm", value)?;
                let known = Algorithm::ALL.into_iter().find(|known| known.name() == name);
                self.algorithm = Some(known.ok_or(TokenKeySettingError::Algorithm)?);
            }
            "file" => self.file = Some(tables::text("file", value)?.into()),
            "issuer" => self.issuer = Some(tables::text("issuer", value)?),
            "audience" => self.audience = Some(tables::text("audience", value)?),
            key => return Err(TokenKeySettingError::UnknownKey { key: key.to_owned() }),
        }
        Ok(())
    }

    fn finish(self, before: &[KeySource]) -> Result<KeySource, TokenKeySettingError> {
        let Self { id, algorithm, file, issuer, audience } = self;
        let (Some(id), Some(algorithm), Some(file)) = (id, algorithm, file) else {
            return Err(TokenKeySettingError::Incomplete);
        };
        if before.iter().any(|other| other.id == id) {
            return Err(TokenKeySettingError::Twice(id));
        }
        if before.len() >= MOST_KEYS {
            return Err(TokenKeySettingError::TooMany);
        }
        let source = KeySource { id, algorithm, file, issuer, audience };
        // Here, so that the message names the line.
        TokenKeyring::read(vec![source.clone()])?;
        Ok(source)
    }
}

/// An example, for a file that has none.
pub(super) const EXAMPLE: &str = "\
# Keys of other applications, which sign tokens that say who a visitor is.
# [[token-keys]]
# kid = \"app-1\"
# algorithm = \"HS256\"
# file = \"/etc/rollcall/token.secret\"
";

/// The table, as it is set.
pub(super) fn print(source: &KeySource, text: &mut String) {
    let KeySource { id, algorithm, file, issuer, audience } = source;
    let (algorithm, file) = (algorithm.name(), quoted(&file.to_string_lossy()));
    let _ = writeln!(
        text,
        "[[token-keys]]\nkid = \"{id}\"\nalgorithm = \"{algorithm}\"\nfile = {file}"
    );
    for (key, value) in [("issuer", issuer), ("audience", audience)] {
        if let Some(value) = value {
            let _ = writeln!(text, "{key} = {}", quoted(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::{Config, Sources, docs};

    const SECRET: &str = "f2a8d0b7139c5e64a1f08b3c7d92e654";

    struct Settings(tempfile::TempDir);

    impl Settings {
        fn new() -> Self {
            let settings = Self(tempfile::tempdir().unwrap());
            settings.write("secret", SECRET, 0o600);
            settings
        }

        fn write(&self, name: &str, text: &str, mode: u32) {
            let path = self.0.path().join(name);
            fs::write(&path, text).unwrap();
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
            #[cfg(not(unix))]
            let _ = mode;
        }

        /// `FILE` is the file with the secret.
        fn load(&self, tables: &str) -> Result<Config, ConfigError> {
            let path = |name: &str| self.0.path().join(name).to_string_lossy().into_owned();
            let tables = tables.replace("FILE", &format!("{:?}", path("secret")));
            let presence = format!("[presence]\nstate-dir = {:?}\n", path("state"));
            self.write("Leptos.toml", &format!("{presence}{tables}"), 0o600);
            Config::load(Sources { file: Some(path("Leptos.toml").into()), ..Sources::default() })
        }
    }

    const TABLE: &str = "[[token-keys]]\nkid = \"a\"\nalgorithm = \"HS256\"\nfile = FILE\n";

    #[test]
    fn keys_are_read_and_printed_as_they_were_read() {
        let settings = Settings::new();
        let second = TABLE.replace("\"a\"", "\"b\"") + "issuer = \"i\"\naudience = \"o\"\n";
        let mut config = settings.load(&format!("{TABLE}{second}")).unwrap();
        let sources = config.token_keys.sources().to_vec();
        assert_eq!(sources.len(), 2);
        assert_eq!(sources[1].audience.as_deref(), Some("o"));
        let printed = docs::file(&mut config);
        assert!(!printed.contains(SECRET), "{printed}");
        let again = printed.split_once("[[token-keys]]").unwrap().1;
        let again = again.split("\n#").next().unwrap();
        let again = settings.load(&format!("[[token-keys]]{again}")).unwrap();
        assert_eq!(again.token_keys.sources(), sources);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let settings = Settings::new();
        let nine: String =
            (0..9).map(|number| TABLE.replace("\"a\"", &format!("\"k{number}\""))).collect();
        for (tables, words) in [
            (TABLE.replace("kid = \"a\"\n", ""), "needs kid, algorithm and file"),
            (TABLE.replace("HS256", "none"), "has to be HS256 or EdDSA"),
            (TABLE.replace("\"a\"", "\"a b\""), "kid in [[token-keys]]"),
            (TABLE.replace("\"a\"", "7"), "kid has to be a string"),
            (TABLE.replace("FILE", "\"/nowhere\""), "/nowhere, can't be read"),
            (TABLE.replace("HS256", "EdDSA"), "BEGIN PUBLIC KEY"),
            (TABLE.replace(TABLE, &format!("{TABLE}secret = \"x\"\n")), "there is no secret"),
            (TABLE.repeat(2), "have the kid a"),
            (nine, "more than 8"),
        ] {
            let sentence = settings.load(&tables).unwrap_err().to_string();
            assert!(sentence.contains(words) && sentence.contains(", line "), "{sentence}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn secret_that_all_users_can_read_is_refused() {
        let settings = Settings::new();
        settings.write("secret", SECRET, 0o644);
        let sentence = settings.load(TABLE).unwrap_err().to_string();
        assert!(sentence.contains("chmod o="), "{sentence}");
    }
}
