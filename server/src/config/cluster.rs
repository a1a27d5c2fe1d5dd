//! The settings of several servers: what they are connected by.

use std::{path::PathBuf, time::Duration};

use super::ConfigError;
use crate::cluster_redis::{EngineAddress, EngineConfig};

/// Leases of other lengths help nobody: a shorter one ends while an engine is only slow, and during a longer one
/// the people of a dead server look as if they were here.
const LEASES: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(30);

/// The settings whose keys begin with `cluster-`. They are explained in
/// [`config::all_settings`](super::all_settings).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSettings {
    pub(crate) engine: Vec<EngineAddress>,
    pub(crate) sentinel: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) sentinel_password_file: Option<PathBuf>,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) prefix: String,
    pub(crate) wait: Duration,
    pub(crate) lease: Duration,
    pub(crate) ready_without_engine: bool,
}

impl Default for ClusterSettings {
    /// No engine: one server alone.
    fn default() -> Self {
        Self {
            engine: Vec::new(),
            sentinel: None,
            user: None,
            password_file: None,
            sentinel_password_file: None,
            ca: None,
            certificate: None,
            key: None,
            prefix: "rollcall".to_owned(),
            wait: Duration::ZERO,
            lease: Duration::from_secs(2),
            ready_without_engine: false,
        }
    }
}

/// How this server takes part in a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterConfig {
    /// What orders the commands of all servers.
    pub engine: EngineConfig,
    /// How long a start waits for the engine.
    pub wait: Duration,
    /// How long this server counts as alive without a word.
    pub lease: Duration,
    /// Whether it is ready while the engine is silent.
    pub readiness: Readiness,
}

/// Whether a server says that it is ready while its engine is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It is not: a balancer sends visitors to servers that hear the engine, or to all if none does.
    NeedsEngine,
    /// It is: a balancer that drops servers that are not ready would take away the lists as well.
    WithoutEngine,
}

impl ClusterSettings {
    /// None for a server alone.
    pub(crate) fn config(&self) -> Option<ClusterConfig> {
        if self.engine.is_empty() {
            return None;
        }
        let engine = EngineConfig {
            addresses: self.engine.clone(),
            sentinel: self.sentinel.clone(),
            user: self.user.clone(),
            password_file: self.password_file.clone(),
            sentinel_password_file: self.sentinel_password_file.clone(),
            authority_file: self.ca.clone(),
            certificate_files: self.certificate.clone().zip(self.key.clone()),
            prefix: self.prefix.clone(),
        };
        let readiness = if self.ready_without_engine {
            Readiness::WithoutEngine
        } else {
            Readiness::NeedsEngine
        };
        Some(ClusterConfig { engine, wait: self.wait, lease: self.lease, readiness })
    }

    /// Whether something is set that has no effect without an engine.
    pub(super) fn is_without_effect(&self) -> bool {
        self.engine.is_empty() && *self != Self::default()
    }

    /// Checks what depends on several settings; `has_key_file` says whether `person-key-file` is set.
    pub(super) fn check(&self, has_key_file: bool) -> Result<(), ConfigError> {
        if self.engine.is_empty() {
            return Ok(());
        }
        if !has_key_file {
            return Err(ConfigError::ClusterWithoutKey);
        }
        if self.sentinel.is_none() && self.engine.len() > 1 {
            return Err(ConfigError::SeveralEngines);
        }
        if !LEASES.contains(&self.lease) {
            return Err(ConfigError::ClusterLease { found: self.lease });
        }
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_prefix = (1..=32).contains(&self.prefix.len()) && self.prefix.bytes().all(is_plain);
        if !is_prefix {
            return Err(ConfigError::ClusterPrefix { found: self.prefix.clone() });
        }
        match (&self.certificate, &self.key) {
            (Some(_), None) => {
                Err(ConfigError::HalfOfTls { set: "cluster-certificate", missing: "cluster-key" })
            }
            (None, Some(_)) => {
                Err(ConfigError::HalfOfTls { set: "cluster-key", missing: "cluster-certificate" })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> ClusterSettings {
        ClusterSettings { engine: vec![EngineAddress::local()], ..ClusterSettings::default() }
    }

    #[test]
    fn server_alone_has_no_cluster() {
        assert!(ClusterSettings::default().check(false).is_ok());
        assert_eq!(ClusterSettings::default().config(), None);
        assert!(!ClusterSettings::default().is_without_effect());
        let user = Some("rollcall".to_owned());
        assert!(ClusterSettings { user, ..ClusterSettings::default() }.is_without_effect());
    }

    #[test]
    fn settings_that_do_not_fit_together_are_refused() {
        type Settings = ClusterSettings;
        assert!(settings().check(true).is_ok());
        let is_refused = |settings: ClusterSettings| settings.check(true).is_err();
        assert!(settings().check(false).is_err(), "each server would make a key of its own");
        assert!(is_refused(Settings { engine: vec![EngineAddress::local(); 2], ..settings() }));
        for lease in [Duration::ZERO, Duration::from_millis(999), Duration::from_secs(31)] {
            assert!(is_refused(Settings { lease, ..settings() }), "{lease:?}");
        }
        for prefix in ["", "Rollcall", "roll:call", "a{b}", &"a".repeat(33)] {
            assert!(is_refused(Settings { prefix: prefix.into(), ..settings() }), "{prefix}");
        }
        assert!(is_refused(Settings { certificate: Some("c.pem".into()), ..settings() }));
        let sentinels = vec![EngineAddress::local(); 3];
        let sentinel = Settings { engine: sentinels, sentinel: Some("main".into()), ..settings() };
        assert!(sentinel.check(true).is_ok());
    }
}
