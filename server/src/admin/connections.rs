//! The operator's connections: who opened each one, and how the lines of its requests end.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::net::{TcpListener, TcpStream};

use crate::listener::{BareLineFeeds, HeadLimit};

/// The operator's listening socket.
#[derive(Debug)]
pub(crate) struct OperatorListener(pub(crate) TcpListener);

/// What a request's handler knows of its connection.
#[derive(Clone, Debug)]
pub(crate) struct OperatorConnection {
    pub(super) peer: IpAddr,
    pub(super) bare_line_feeds: BareLineFeeds,
}

impl Listener for OperatorListener {
    type Io = HeadLimit<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        (HeadLimit::new(stream), peer)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, OperatorListener>> for OperatorConnection {
    fn connect_info(stream: IncomingStream<'_, OperatorListener>) -> Self {
        let bare_line_feeds = stream.io().bare_line_feeds();
        Self { peer: stream.remote_addr().ip(), bare_line_feeds }
    }
}
