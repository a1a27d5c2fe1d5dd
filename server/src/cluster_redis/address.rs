//! Where the engine is, and how this server proves who it is.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use redis::{
    Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion,
    RedisConnectionInfo, RedisError, TlsCertificates, TlsMode,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
};
use tokio::sync::Mutex;

use crate::storage::secret_file::{self, ExposedError, SecretFileError};

/// The port of Redis and Valkey.
const DEFAULT_PORT: u16 = 6379;

/// How long data may stay unacknowledged before the system ends a connection.
const USER_TIMEOUT: Duration = Duration::from_secs(2);

/// The address of an engine, or of a Sentinel: `redis://HOST:PORT/DB`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineAddress {
    host: String,
    port: u16,
    has_tls: bool,
    database: i64,
}

impl FromStr for EngineAddress {
    type Err = InvalidAddressError;

    fn from_str(text: &str) -> Result<Self, InvalidAddressError> {
        let url = url::Url::parse(text).map_err(|_| InvalidAddressError)?;
        let has_tls = match url.scheme() {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            _ => return Err(InvalidAddressError),
        };
        // A name or password would be printed with the address.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidAddressError);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidAddressError);
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(InvalidAddressError)?;
        let database = match url.path().trim_start_matches('/') {
            "" => 0,
            number => number.parse::<u16>().map_err(|_| InvalidAddressError)?.into(),
        };
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(DEFAULT_PORT),
            has_tls,
            database,
        })
    }
}

impl fmt::Display for EngineAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, has_tls, database } = self;
        let scheme = if *has_tls { "rediss" } else { "redis" };
        if host.contains(':') {
            write!(formatter, "{scheme}://[{host}]:{port}")?;
        } else {
            write!(formatter, "{scheme}://{host}:{port}")?;
        }
        if *database == 0 { Ok(()) } else { write!(formatter, "/{database}") }
    }
}

/// A text that is no address of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an engine's address is redis://HOST:PORT or rediss://HOST:PORT, without a password")]
pub struct InvalidAddressError;

impl EngineAddress {
    /// `redis://127.0.0.1:6379`.
    pub fn local() -> Self {
        Self { host: "127.0.0.1".to_owned(), port: DEFAULT_PORT, has_tls: false, database: 0 }
    }

    fn connection(&self) -> ConnectionAddr {
        let (host, port) = (self.host.clone(), self.port);
        if self.has_tls {
            ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host, port)
        }
    }
}

/// Which engine, and with what credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// The engine, or with `sentinel` the Sentinels: at least one.
    pub addresses: Vec<EngineAddress>,
    /// The name by which the Sentinels know the engine.
    pub sentinel: Option<String>,
    /// The user of the engine's access control list.
    pub user: Option<String>,
    /// The file with the user's password.
    pub password_file: Option<PathBuf>,
    /// The file with the Sentinels' password.
    pub sentinel_password_file: Option<PathBuf>,
    /// The certificates of the authority that has signed the engine's certificate; else the system's.
    pub authority_file: Option<PathBuf>,
    /// This server's certificate and its key, if the engine asks for one.
    pub certificate_files: Option<(PathBuf, PathBuf)>,
    /// What the names of all keys begin with.
    pub prefix: String,
}

/// An error with a file of the engine's settings.
#[derive(Debug, thiserror::Error)]
pub enum EngineFileError {
    /// It can't be read.
    #[error("{}, which is set as {setting}, can't be read: {source}.", path.display())]
    Unreadable {
        /// The setting.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Others have access to a secret.
    #[error(transparent)]
    Exposed(#[from] ExposedError),
    /// The certificates or the key are none.
    #[error("The files for TLS with the engine can't be used: {0}.")]
    Certificates(#[from] RedisError),
}

/// Where a new link gets its connections from.
pub(super) enum Source {
    /// Always from this engine.
    Address(Client),
    /// From whichever engine the Sentinels name.
    Sentinel(Mutex<SentinelClient>),
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Address(_) => "Address",
            Self::Sentinel(_) => "Sentinel",
        })
    }
}

impl Source {
    pub(super) fn new(config: &EngineConfig) -> Result<Self, EngineFileError> {
        let password = secret(config.password_file.as_deref(), "cluster-password-file")?;
        let certificates = certificates(config)?;
        if let Some(service) = &config.sentinel {
            let file = config.sentinel_password_file.as_deref();
            let sentinel_password = secret(file, "cluster-sentinel-password-file")?;
            let credentials = Credentials { password, sentinel_password, certificates };
            let client = sentinel(config, service, credentials)?;
            return Ok(Self::Sentinel(Mutex::new(client)));
        }
        let local = EngineAddress::local();
        let address = config.addresses.first().unwrap_or(&local);
        let settings = settings(config.user.as_deref(), password, address.database);
        let info = address.connection().into_connection_info()?;
        let info = info.set_tcp_settings(tcp_settings()).set_redis_settings(settings);
        Ok(Self::Address(match certificates.filter(|_| address.has_tls) {
            Some(certificates) => Client::build_with_tls(info, certificates)?,
            None => Client::open(info)?,
        }))
    }

    /// The engine that is the primary now.
    pub(super) async fn client(&self) -> Result<Client, RedisError> {
        match self {
            Self::Address(client) => Ok(client.clone()),
            Self::Sentinel(sentinel) => {
                let found = sentinel.lock().await.async_get_client().await?;
                let info = found.get_connection_info().clone();
                let settings = info.redis_settings().clone().set_skip_set_lib_name();
                Client::open(ConnectionInfo::set_redis_settings(info, settings))
            }
        }
    }
}

struct Credentials {
    password: Option<String>,
    sentinel_password: Option<String>,
    certificates: Option<TlsCertificates>,
}

fn sentinel(
    config: &EngineConfig,
    service: &str,
    Credentials { password, sentinel_password, certificates }: Credentials,
) -> Result<SentinelClient, RedisError> {
    let sentinels = config.addresses.iter().map(EngineAddress::connection);
    let has_tls = config.addresses.iter().any(|address| address.has_tls);
    let database = config.addresses.first().map_or(0, |address| address.database);
    let mut builder = SentinelClientBuilder::new(sentinels, service, SentinelServerType::Master)?
        .set_client_to_redis_protocol(ProtocolVersion::RESP3)
        .set_client_to_redis_tcp_settings(tcp_settings())
        .set_client_to_sentinel_tcp_settings(tcp_settings())
        .set_client_to_redis_db(database);
    if let Some(user) = &config.user {
        builder = builder.set_client_to_redis_username(user);
    }
    if let Some(password) = password {
        builder = builder.set_client_to_redis_password(password);
    }
    if let Some(password) = sentinel_password {
        builder = builder.set_client_to_sentinel_password(password);
    }
    if has_tls {
        builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        if let Some(certificates) = certificates {
            builder = builder
                .set_client_to_redis_certificates(certificates.clone())
                .set_client_to_sentinel_certificates(certificates);
        }
    }
    builder.build()
}

/// `CLIENT SETINFO` is skipped: Redis 7.0 does not know it, and its access control refuses what it does not know.
fn settings(user: Option<&str>, password: Option<String>, database: i64) -> RedisConnectionInfo {
    let settings = RedisConnectionInfo::default()
        .set_protocol(ProtocolVersion::RESP3)
        .set_skip_set_lib_name()
        .set_db(database);
    let settings = match user {
        Some(user) => settings.set_username(user),
        None => settings,
    };
    match password {
        Some(password) => settings.set_password(password),
        None => settings,
    }
}

/// A peer that is gone without a word is noticed within seconds.
fn tcp_settings() -> TcpSettings {
    let keepalive =
        TcpKeepalive::new().with_time(Duration::from_secs(1)).with_interval(Duration::from_secs(1));
    #[cfg(unix)]
    let keepalive = keepalive.with_retries(2);
    let settings = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(USER_TIMEOUT);
    settings
}

fn certificates(config: &EngineConfig) -> Result<Option<TlsCertificates>, EngineFileError> {
    let root_cert = config.authority_file.as_deref();
    let root_cert = root_cert.map(|path| contents(path, "cluster-ca")).transpose()?;
    let client_tls = match &config.certificate_files {
        Some((certificate, key)) => Some(ClientTlsConfig {
            client_cert: contents(certificate, "cluster-certificate")?,
            client_key: secret_contents(key, "cluster-key")?,
        }),
        None => None,
    };
    let is_set = root_cert.is_some() || client_tls.is_some();
    Ok(is_set.then_some(TlsCertificates { client_tls, root_cert }))
}

/// The first line of a file.
fn secret(path: Option<&Path>, setting: &'static str) -> Result<Option<String>, EngineFileError> {
    let Some(path) = path else { return Ok(None) };
    let text = String::from_utf8(secret_contents(path, setting)?).map_err(|error| {
        let source = io::Error::new(io::ErrorKind::InvalidData, error);
        EngineFileError::Unreadable { setting, path: path.to_owned(), source }
    })?;
    Ok(text.lines().next().map(ToOwned::to_owned))
}

fn secret_contents(path: &Path, setting: &'static str) -> Result<Vec<u8>, EngineFileError> {
    secret_file::read_given(setting, path).map_err(|error| match error {
        SecretFileError::Unreadable(source) => {
            EngineFileError::Unreadable { setting, path: path.to_owned(), source }
        }
        SecretFileError::Exposed(exposed) => exposed.into(),
    })
}

fn contents(path: &Path, setting: &'static str) -> Result<Vec<u8>, EngineFileError> {
    fs::read(path).map_err(|source| EngineFileError::Unreadable {
        setting,
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_read_as_it_is_written() {
        for text in
            ["redis://127.0.0.1:6379", "rediss://valkey.example.org:6380", "redis://[::1]:7000/3"]
        {
            assert_eq!(text.parse::<EngineAddress>().unwrap().to_string(), text);
        }
        let default = "valkey://engine".parse::<EngineAddress>().unwrap();
        assert_eq!(default.to_string(), "redis://engine:6379");
    }

    #[test]
    fn address_with_a_password_or_of_something_else_is_refused() {
        for text in [
            "redis://:secret@host:6379",
            "redis://user@host:6379",
            "http://host:6379",
            "redis://",
            "redis://host/db",
            "redis://host?protocol=resp2",
            "host:6379",
            "",
        ] {
            assert_eq!(text.parse::<EngineAddress>(), Err(InvalidAddressError), "{text}");
        }
    }
}
