//! Whether the server accepts connections.

/// What happens to a new connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListenState {
    Closed,
    Loading,
    Accepting,
}
