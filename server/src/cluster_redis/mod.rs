//! Valkey or Redis as the engine that orders what happens to rooms.
//!
//! Four scripts are all that the engine executes; it knows nothing of presence. A link never reconnects by
//! itself, because entries may be lost in between: the node opens its rooms anew over a new one.

mod address;
mod answers;
mod incoming;
mod keys;
mod link;
mod scripts;
mod shared_config;

use std::{sync::Arc, time::Duration};

use redis::{
    AsyncConnectionConfig, ErrorKind, InfoDict, RedisError, aio::MultiplexedConnection, cmd, pipe,
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use registry::replication::engine::{Engine, EngineError, REQUEST_TIMEOUT, RunId};

use self::{address::Source, incoming::queue, keys::Keys, link::Connections};
pub use self::{
    address::{EngineAddress, EngineConfig, EngineFileError},
    link::RedisLink,
};

/// How long a new link may take: asking Sentinel, two connections, and the scripts.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The oldest major version: `#!lua` and sharded channels came with it.
const OLDEST_REDIS: u64 = 7;

/// An engine that speaks Redis' protocol.
#[derive(Clone, Debug)]
pub struct RedisEngine {
    source: Arc<Source>,
    keys: Keys,
}

impl RedisEngine {
    /// Reads the files of the configuration; connects to nothing.
    ///
    /// # Errors
    /// A file can't be read, or is no certificate or key.
    pub fn new(config: &EngineConfig) -> Result<Self, EngineFileError> {
        let source = Arc::new(Source::new(config)?);
        Ok(Self { source, keys: Keys::new(&config.prefix) })
    }

    async fn link(&self) -> Result<RedisLink, RedisError> {
        let client = self.source.client().await?;
        let over = CancellationToken::new();
        let (arriving, arrived) = queue(over.clone());
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(REQUEST_TIMEOUT))
            .set_response_timeout(Some(REQUEST_TIMEOUT));
        let mut requests = client.get_multiplexed_async_connection_with_config(&config).await?;
        let config = config.set_push_sender(move |push| {
            arriving.push(push);
            Ok::<(), ()>(())
        });
        let mut listening = client.get_multiplexed_async_connection_with_config(&config).await?;
        let run_id = Instance::of(&mut requests).await?.checked()?;
        // One name may stand for several engines.
        if Instance::of(&mut listening).await?.run_id != run_id {
            return Err((ErrorKind::Io, "two connections lead to two engines").into());
        }
        load_scripts(&mut requests).await?;
        let connections = Connections { requests, listening, arrived, over };
        Ok(RedisLink::new(RunId(run_id), self.keys.clone(), connections))
    }
}

impl Engine for RedisEngine {
    type Link = RedisLink;

    async fn connect(&self) -> Result<RedisLink, EngineError> {
        match timeout(CONNECT_TIMEOUT, self.link()).await {
            Ok(Ok(link)) => Ok(link),
            Ok(Err(error)) => Err(connect_error(&error)),
            Err(_) => Err(EngineError::Unreachable(format!(
                "it did not answer within {} s",
                CONNECT_TIMEOUT.as_secs()
            ))),
        }
    }
}

/// All in one round trip.
async fn load_scripts(connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
    let mut pipeline = pipe();
    for script in scripts::all() {
        pipeline.load_script(script).ignore();
    }
    pipeline.query_async(connection).await
}

/// What an engine says of itself.
#[derive(Debug, PartialEq, Eq)]
struct Instance {
    run_id: String,
    major_version: u64,
    version: String,
    is_replica: bool,
    evicts: Option<String>,
}

impl Instance {
    async fn of(connection: &mut MultiplexedConnection) -> Result<Self, RedisError> {
        let info: InfoDict = cmd("INFO").query_async(connection).await?;
        Ok(Self::read(&info))
    }

    fn read(info: &InfoDict) -> Self {
        let text = |key| info.get::<String>(key).unwrap_or_default();
        let version = text("redis_version");
        let major_version = version.split('.').next().and_then(|major| major.parse().ok());
        let policy = info.get::<String>("maxmemory_policy");
        Self {
            run_id: text("run_id"),
            // Valkey says here with which version of Redis it is compatible: 7.2.4.
            major_version: major_version.unwrap_or_default(),
            version,
            is_replica: text("role") == "slave",
            evicts: policy.filter(|policy| policy != "noeviction"),
        }
    }

    /// The id of its run, if this server can use it.
    fn checked(self) -> Result<String, RedisError> {
        if self.major_version < OLDEST_REDIS {
            let what = "it is older than Redis 7.0 and Valkey 7.2";
            return Err((ErrorKind::InvalidClientConfig, what, self.version).into());
        }
        if self.is_replica {
            return Err((ErrorKind::Io, "it is a replica, which takes no writes").into());
        }
        if let Some(policy) = self.evicts {
            tracing::warn!(
                policy,
                "the engine may forget rooms when its memory is full: set its maxmemory-policy to noeviction"
            );
        }
        Ok(self.run_id)
    }
}

/// Whether somebody has to change the configuration, or it may pass.
fn connect_error(error: &RedisError) -> EngineError {
    let is_misconfigured = match error.kind() {
        ErrorKind::AuthenticationFailed
        | ErrorKind::InvalidClientConfig
        | ErrorKind::MasterNameNotFoundBySentinel
        | ErrorKind::RESP3NotSupported => true,
        _ => matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM")),
    };
    let reason = error.to_string();
    if is_misconfigured {
        EngineError::Misconfigured(reason)
    } else {
        EngineError::Unreachable(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(text: &str) -> Instance {
        Instance::read(&InfoDict::new(text))
    }

    #[test]
    fn instance_is_read_and_checked() {
        let valkey = instance(
            "redis_version:7.2.4\r\nvalkey_version:9.1.2\r\nrun_id:abc\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n",
        );
        assert_eq!((valkey.major_version, valkey.evicts.as_deref()), (7, None));
        assert_eq!(valkey.checked().unwrap(), "abc");
        let old = instance("redis_version:6.2.14\r\nrun_id:abc\r\nrole:master\r\n").checked();
        assert!(matches!(connect_error(&old.unwrap_err()), EngineError::Misconfigured(_)));
        let replica = instance("redis_version:7.0.15\r\nrun_id:abc\r\nrole:slave\r\n").checked();
        assert!(matches!(connect_error(&replica.unwrap_err()), EngineError::Unreachable(_)));
    }
}
