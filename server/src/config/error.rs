//! What can be wrong with the settings.

use std::{io, path::PathBuf};

use super::source::Source;

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{} can't be read: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no TOML.
    #[error("{} can't be understood: {source}", path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: toml::de::Error,
    },
    /// Something is set that nobody reads.
    #[error("In {at}: there is no setting {key} in {place}. `rollcall --help` lists them all.")]
    UnknownKey {
        /// Where it stands.
        at: Source,
        /// What is set.
        key: String,
        /// In which table it was looked for.
        place: &'static str,
    },
    /// A setting is set to what it can't be.
    #[error("In {at}: {key} is {found}, and has to be {expected}.")]
    BadValue {
        /// Where it stands.
        at: Source,
        /// Which setting.
        key: &'static str,
        /// What it is set to.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// Hashed names are wanted, and the build that made the names is not there.
    #[error("hash-files is set, and {} is not there: build with `cargo xtask build`, or unset it.", path.display())]
    NoHashFile {
        /// The file that would hold the names.
        path: PathBuf,
    },
    /// Anybody could fetch the key.
    #[error("The state directory {} is within the site's folder, which everybody may read: name another with --state-dir.", state_directory.display())]
    StateIsServed {
        /// Which directory.
        state_directory: PathBuf,
    },
    /// TLS needs both of its files.
    #[error("{set} is set and {missing} is not: TLS takes both, or neither.")]
    HalfOfTls {
        /// The setting that is there.
        set: &'static str,
        /// The one that is missing.
        missing: &'static str,
    },
    /// Anybody could fetch the key of TLS.
    #[error("The key {}, which tls-key names, is within the site's folder, which everybody may read: move it.", key.display())]
    KeyIsServed {
        /// Which file.
        key: PathBuf,
    },
    /// There is no place for the state directory.
    #[error("There is no home folder to keep state in: name a folder with --state-dir.")]
    NoStateDirectory,
}

impl ConfigError {
    /// Whether it is the command line that is wrong, and not what was set up before.
    pub fn is_usage_error(&self) -> bool {
        matches!(self, Self::BadValue { at: Source::Flag(_), .. })
    }
}
