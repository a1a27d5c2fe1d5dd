//! Errors in the settings.

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

use super::{
    nearest::Suggestion, rooms::RoomRuleError, source::Source, token_keys::TokenKeySettingError,
    value::Value, webhooks::WebhookError,
};
use crate::{http::assets::SiteError, tokens::TokenKeyError};

/// An error in the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{} can't be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file is not valid TOML.
    #[error("{} is not valid TOML: {source}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: toml::de::Error,
    },
    /// There is no such setting.
    #[error(
        "In {at}: there is no setting {key} in {place}.{suggestion} `rollcall --help` lists all settings."
    )]
    UnknownKey {
        /// Where it is set.
        at: Source,
        /// The unknown key.
        key: String,
        /// The table it is in.
        place: &'static str,
        /// What was probably meant.
        suggestion: Suggestion,
    },
    /// There is no such table.
    #[error(
        "In {at}: there is no table {name} in {place}.{suggestion} The tables are [presence], [limits], [[webhooks]], [[rooms]], [[token-keys]] and [[workspace.metadata.leptos]]."
    )]
    UnknownTable {
        /// Where it begins.
        at: Source,
        /// Its name.
        name: String,
        /// The table it is in, or the file.
        place: &'static str,
        /// What was probably meant.
        suggestion: Suggestion,
    },
    /// A variable with Rollcall's prefix is no setting.
    #[error(
        "The variable {variable} is not a setting.{suggestion} `rollcall --help` lists all settings with their variables."
    )]
    UnknownVariable {
        /// Its name.
        variable: String,
        /// What was probably meant.
        suggestion: Suggestion,
    },
    /// A value is invalid.
    #[error("In {at}: {key} is {found}, but has to be {expected}.")]
    BadValue {
        /// Where it is set.
        at: Source,
        /// The setting.
        key: &'static str,
        /// The invalid value.
        found: String,
        /// A description of the valid values.
        expected: &'static str,
    },
    /// The page's files are not as the settings say.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// Visitors could download the key that signs cookies.
    #[error("The state directory {} is inside site-root, whose files are public: choose another with --state-dir.", state_directory.display())]
    StateIsServed {
        /// The directory.
        state_directory: PathBuf,
    },
    /// Only one of the two TLS files is set.
    #[error("{set} is set but {missing} is not: TLS needs both.")]
    HalfOfTls {
        /// The setting that is set.
        set: &'static str,
        /// The missing one.
        missing: &'static str,
    },
    /// Visitors could download a secret.
    #[error("{}, which is set as {setting}, is inside site-root, whose files are public: move it.", path.display())]
    SecretIsServed {
        /// The setting.
        setting: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// Both listeners have the same address.
    #[error(
        "The operator's listener can't have the site's address {address}: choose another with --operator-addr, or turn it off with --operator-addr off."
    )]
    SameAddress {
        /// That of the operator's listener.
        address: SocketAddr,
    },
    /// Each server would sign with a key of its own.
    #[error(
        "With cluster-engine, person-key-file has to be set to the same key on all servers: else a visitor would be another person on each of them. `head -c 64 /dev/urandom > person.key` makes one."
    )]
    ClusterWithoutKey,
    /// Several engines, and nobody who knows which one to use.
    #[error(
        "cluster-engine has several addresses: without cluster-sentinel there can be only one."
    )]
    SeveralEngines,
    /// A lease that helps nobody.
    #[error("cluster-lease is {}, but has to be between 1s and 30s.", found.format().unwrap_or_default())]
    ClusterLease {
        /// What is set.
        found: Duration,
    },
    /// A prefix that is no part of a key.
    #[error(
        "cluster-prefix is {found:?}, but has to be 1 to 32 of the letters a to z, digits and hyphens."
    )]
    ClusterPrefix {
        /// What is set.
        found: String,
    },
    /// A table `[[webhooks]]` is invalid.
    #[error("In {at}: {error}.")]
    Webhook {
        /// Where it is set.
        at: Source,
        /// What is wrong.
        error: WebhookError,
    },
    /// A table `[[rooms]]` is invalid.
    #[error("In {at}: {error}.")]
    Room {
        /// Where it is set.
        at: Source,
        /// What is wrong.
        error: RoomRuleError,
    },
    /// A table `[[token-keys]]` is invalid.
    #[error("In {at}: {error}.")]
    TokenKey {
        /// Where it is set.
        at: Source,
        /// What is wrong.
        error: TokenKeySettingError,
    },
    /// The file of a key was changed while it was read.
    #[error("{0}.")]
    TokenKeyFile(#[from] TokenKeyError),
    /// Nobody could enter these rooms.
    #[error(
        "[[rooms]] has rooms that need a token, and no key can sign one: add a [[token-keys]] with the key of the application that makes the tokens."
    )]
    TokenRoomsWithoutKey,
    /// Each server would tell of every event.
    #[error(
        "[[webhooks]] can't be used with cluster-engine: each server would send every event. Remove one of the two; a backend of several servers can follow /api/events."
    )]
    WebhooksInCluster,
    /// There is no default for the state directory.
    #[error("There is no home directory for the state: set --state-dir.")]
    NoStateDirectory,
}

impl ConfigError {
    /// Whether the error is on the command line.
    pub fn is_usage_error(&self) -> bool {
        matches!(self, Self::BadValue { at: Source::Flag(_), .. })
    }
}
