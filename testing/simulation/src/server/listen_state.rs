//! Whether the server listens.

/// Whether a connection can be had now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListenState {
    Refused,
    Waiting,
    Welcome,
}
