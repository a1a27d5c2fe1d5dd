//! From a listening socket to requests: accepting, time limits, TLS.

mod acceptor;
mod head_limit;
mod http_connections;
mod https_redirect;
mod in_flight;
pub mod lan_url;
mod line_ends;
mod machine_name;
mod plain_stream;
mod reserve_fd;
pub mod tcp;
pub mod tls;
mod upgraded_stream;
mod write_timeout;

pub(crate) use acceptor::Acceptor;
pub(crate) use head_limit::{BareLineFeed, BareLineFeeds, HeadLimit};
pub(crate) use http_connections::serve_connections;
pub(crate) use in_flight::{InFlight, SystemBuffer};
pub(crate) use machine_name::machine_name;
pub(crate) use plain_stream::PlainStream;
pub(crate) use tcp::bound_send_buffers;
pub(crate) use upgraded_stream::UpgradedStream;
pub(crate) use write_timeout::WriteTimeout;
