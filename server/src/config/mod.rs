//! The settings. Precedence: flag > environment > `Leptos.toml` > default.
//!
//! [`all_settings`] lists them; everything else here works for any setting.

pub mod admission;
pub mod all_settings;
pub mod attendance;
pub mod cli;
pub mod cluster;
pub mod docs;
pub mod environment;
mod error;
pub mod nearest;
pub mod rooms;
pub mod setting;
pub mod socketio;
pub mod source;
mod tables;
pub mod token_keys;
mod toml_file;
pub mod value;
pub mod webhooks;

#[cfg(test)]
mod tests;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use leptos::config::{Env, LeptosOptions};

pub use self::error::ConfigError;
use self::{
    admission::AdmissionSettings,
    attendance::AttendanceRetention,
    cli::Bind,
    cluster::{ClusterConfig, ClusterSettings},
    environment::{Assignment, Environment},
    socketio::SocketIoSettings,
    toml_file::SettingsFile,
    webhooks::WebhookSettings,
};
use crate::{
    admin::AdminAddr,
    admission::{HostName, pools::Machine},
    http::assets::{Site, SiteError},
    identity::person_cookie::CookieScope,
    lifecycle::graceful_shutdown::DrainConfig,
    listener::tls::{self, TlsFiles},
    room_access::RoomPolicy,
    telemetry::logging::LogConfig,
    tokens::TokenKeyring,
    url::{PublicUrl, Scheme},
    websocket::connection::ConnectionConfig,
};
use registry::{hub::HubLimits, presence::room::RoomLimits};

/// The value of every setting. A new setting needs a field here and an entry in [`all_settings`].
#[derive(Clone, Debug)]
pub struct Config {
    /// Leptos's own settings; `site_addr` is where the server listens.
    pub leptos: LeptosOptions,
    /// The directory with the page's files; none for those embedded in the program.
    pub site_root: Option<PathBuf>,
    /// The directory for what survives a restart.
    pub state_directory: PathBuf,
    /// The file with the key that signs cookies, if it is not in the state directory.
    pub person_key_file: Option<PathBuf>,
    /// The limits of each room, but for `keep_attendance`.
    pub room_limits: RoomLimits,
    /// For how long rooms remember who came and went.
    pub keep_attendance: Option<AttendanceRetention>,
    /// The site's URL as visitors see it; without it, each request's host.
    pub public_url: Option<PublicUrl>,
    /// Further names of the site.
    pub hosts: Vec<HostName>,
    /// The certificate, if this server speaks TLS itself.
    pub tls: TlsSettings,
    /// The table `[limits]`.
    pub admission: AdmissionSettings,
    /// The address of the admin interface.
    pub operator_address: AdminAddr,
    /// What connects several servers.
    pub cluster: ClusterSettings,
    /// Clients of Socket.IO.
    pub socketio: SocketIoSettings,
    /// The tables `[[webhooks]]`, which are in the file alone.
    pub webhooks: Vec<WebhookSettings>,
    /// The tables `[[rooms]]`, which are in the file alone.
    pub rooms: RoomPolicy,
    /// The tables `[[token-keys]]`, which are in the file alone.
    pub token_keys: TokenKeyring,
    /// How the server shuts down.
    pub drain: DrainConfig,
    /// The log's filter and format.
    pub logs: LogConfig,
}

impl Default for Config {
    /// All defaults but that of the state directory, which depends on the environment.
    fn default() -> Self {
        Self {
            leptos: LeptosOptions::builder().output_name("rollcall").env(Env::PROD).build(),
            site_root: None,
            state_directory: PathBuf::new(),
            person_key_file: None,
            room_limits: RoomLimits {
                most_people: 20_000,
                most_connections_per_person: 32,
                keep_attendance: None,
            },
            keep_attendance: None,
            public_url: None,
            hosts: Vec::new(),
            tls: TlsSettings::default(),
            admission: AdmissionSettings::default(),
            operator_address: AdminAddr::Default,
            cluster: ClusterSettings::default(),
            socketio: SocketIoSettings::default(),
            webhooks: Vec::new(),
            rooms: RoomPolicy::default(),
            token_keys: TokenKeyring::default(),
            drain: DrainConfig::default(),
            logs: LogConfig::default(),
        }
    }
}

/// The paths of the TLS files as they are set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsSettings {
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl TlsSettings {
    /// Both files; none where TLS is not configured.
    pub fn files(&self) -> Option<TlsFiles> {
        let (certificate, key) = self.certificate.clone().zip(self.key.clone())?;
        Some(TlsFiles { certificate, key })
    }

    /// Where only one of the two is set: that one's name, and the missing one's.
    fn incomplete(&self) -> Option<(&'static str, &'static str)> {
        match (&self.certificate, &self.key) {
            (Some(_), None) => Some((tls::CERTIFICATE_SETTING, tls::KEY_SETTING)),
            (None, Some(_)) => Some((tls::KEY_SETTING, tls::CERTIFICATE_SETTING)),
            _ => None,
        }
    }
}

/// Where the settings come from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The settings file; without it `Leptos.toml`, if that exists.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: Environment,
    /// The flags of the command line.
    pub flags: Vec<Assignment>,
    /// The interfaces to listen on.
    pub bind: Bind,
}

impl Config {
    /// Reads and validates the settings from all sources.
    pub fn load(sources: Sources) -> Result<Self, ConfigError> {
        let Sources { file, environment, flags, bind } = sources;
        let mut config = Self::default();
        if let Some(directory) = default_state_directory(&environment) {
            config.state_directory = directory;
        }
        let file = from_file(file)?;
        config.webhooks = file.webhooks;
        config.rooms = RoomPolicy::new(file.rooms);
        config.token_keys = TokenKeyring::read(file.token_keys)?;
        let assignments = [file.assignments, environment.assignments()?, flags].concat();
        for assignment in assignments {
            config.assign(assignment)?;
        }
        let ip = bind.of(config.leptos.site_addr.ip());
        config.leptos.site_addr.set_ip(ip);
        config.validated()
    }

    /// The scheme by which visitors reach the site.
    pub fn scheme(&self) -> Scheme {
        match &self.public_url {
            Some(url) if url.origin.is_https() => Scheme::Https,
            _ if self.tls.files().is_some() => Scheme::Https,
            _ => Scheme::Http,
        }
    }

    /// Where the visitors' cookies are valid.
    pub fn cookie_scope(&self) -> CookieScope {
        let base_path = self.public_url.as_ref().map(|url| url.base_path.clone());
        CookieScope { scheme: self.scheme(), base_path: base_path.unwrap_or_default() }
    }

    /// How this server takes part in a cluster; none for a server alone.
    pub fn cluster(&self) -> Option<ClusterConfig> {
        self.cluster.config()
    }

    /// The limits of each room.
    pub fn room_limits(&self) -> RoomLimits {
        let keep_attendance = self.keep_attendance.map(AttendanceRetention::duration);
        RoomLimits { keep_attendance, ..self.room_limits }
    }

    /// The limits of all rooms together, as far as this machine can bear them.
    pub fn hub_limits(&self, machine: Machine) -> HubLimits {
        // The numbers depend neither on the site's origin nor on its scheme.
        let policy = self.admission.clone().into_policy(None, Scheme::Http).capped_by(machine);
        machine.cap_rooms(self.admission.hub_limits(self.room_limits()), &policy)
    }

    /// The time limits of every socket.
    pub fn connection(&self) -> ConnectionConfig {
        let first_frame_within = self.admission.first_frame_timeout();
        ConnectionConfig { first_frame_within, ..ConnectionConfig::default() }
    }

    /// What works, but probably not as intended: sentences for the operator.
    pub fn warnings(&self) -> Vec<String> {
        let site = Site::new(self.site_root.as_deref()).check(&self.leptos);
        let site = site.err().map(|error| error.to_string());
        let operator = match self.operator_address {
            AdminAddr::At(address) if !address.ip().is_loopback() => Some(format!(
                "Other machines may reach the operator's listener on {address}: set operator-addr to an address of loopback, or protect it with a firewall."
            )),
            AdminAddr::Default => self.operator_address.taken_by(self.leptos.site_addr).map(|address| {
                format!(
                    "The site's address includes {address}, the default of operator-addr: choose another with --operator-addr. The operator's listener is disabled."
                )
            }),
            _ => None,
        };
        let cluster = self.cluster.is_without_effect().then(|| {
            "Settings that begin with cluster- have no effect without cluster-engine.".to_owned()
        });
        let limits = self.admission.warnings();
        let webhooks = self.webhooks.iter().filter_map(WebhookSettings::warning);
        site.into_iter().chain(operator).chain(cluster).chain(limits).chain(webhooks).collect()
    }

    fn assign(&mut self, assignment: Assignment) -> Result<(), ConfigError> {
        let Assignment { setting, text, source } = assignment;
        setting.value(self).parse(&text).map_err(|expected| ConfigError::BadValue {
            at: source,
            key: setting.key(),
            found: if setting.is_secret() { "set".to_owned() } else { format!("{text:?}") },
            expected,
        })
    }

    /// Checks what depends on several settings.
    fn validated(self) -> Result<Self, ConfigError> {
        if self.state_directory.as_os_str().is_empty() {
            return Err(ConfigError::NoStateDirectory);
        }
        if let Some((set, missing)) = self.tls.incomplete() {
            return Err(ConfigError::HalfOfTls { set, missing });
        }
        if let (AdminAddr::At(_), Some(address)) =
            (self.operator_address, self.operator_address.taken_by(self.leptos.site_addr))
        {
            return Err(ConfigError::SameAddress { address });
        }
        self.cluster.check(self.person_key_file.is_some())?;
        if self.rooms.needs_tokens() && self.token_keys.is_empty() {
            return Err(ConfigError::TokenRoomsWithoutKey);
        }
        if !self.webhooks.is_empty() && self.cluster().is_some() {
            return Err(ConfigError::WebhooksInCluster);
        }
        let site = Site::new(self.site_root.as_deref());
        match site.check(&self.leptos) {
            // The list can be followed without a page: see `warnings`.
            Ok(()) | Err(SiteError::NoDirectory { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(directory) = site.directory() {
            if is_inside(&self.state_directory, directory) {
                return Err(ConfigError::StateIsServed { state_directory: self.state_directory });
            }
            let mut secrets = self.secret_files();
            if let Some((setting, path)) = secrets.find(|(_, path)| is_inside(path, directory)) {
                return Err(ConfigError::SecretIsServed { setting, path: path.clone() });
            }
        }
        Ok(self)
    }

    /// The files with secrets that are set, and the settings that name them.
    fn secret_files(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        let files = [
            (tls::KEY_SETTING, &self.tls.key),
            ("person-key-file", &self.person_key_file),
            ("cluster-key", &self.cluster.key),
            ("cluster-password-file", &self.cluster.password_file),
            ("cluster-sentinel-password-file", &self.cluster.sentinel_password_file),
        ];
        let of_webhooks = self.webhooks.iter().filter_map(|webhook| webhook.secret_file.as_ref());
        let of_webhooks = of_webhooks.map(|path| (webhooks::SECRET_FILE, path));
        let files = files.into_iter().filter_map(|(setting, path)| Some((setting, path.as_ref()?)));
        let token_keys = self.token_keys.sources().iter();
        let token_keys = token_keys.map(|source| (token_keys::FILE, &source.file));
        files.chain(of_webhooks).chain(token_keys)
    }
}

fn from_file(named: Option<PathBuf>) -> Result<SettingsFile, ConfigError> {
    let is_named = named.is_some();
    let path = named.unwrap_or_else(|| PathBuf::from("Leptos.toml"));
    match fs::read_to_string(&path) {
        Ok(text) => toml_file::read(&path, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_named => {
            Ok(SettingsFile::default())
        }
        Err(source) => Err(ConfigError::File { path, source }),
    }
}

/// Whether `inner` is `outer` or below it; links are followed only where the path exists.
fn is_inside(inner: &Path, outer: &Path) -> bool {
    let absolute = |path: &Path| {
        path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_default()
    };
    absolute(inner).starts_with(absolute(outer))
}

/// The directory that systemd gives a service, else that of the XDG base directory specification.
fn default_state_directory(environment: &Environment) -> Option<PathBuf> {
    let path = |name| environment.absolute_path(name);
    path("STATE_DIRECTORY").or_else(|| {
        let base = path("XDG_STATE_HOME").or_else(|| Some(path("HOME")?.join(".local/state")))?;
        Some(base.join("rollcall"))
    })
}
