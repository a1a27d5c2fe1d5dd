//! What the visitor wants and the server has not granted yet.

/// What the visitor wants and the server has not granted yet; it survives the loss of a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// To be listed under this name.
    Join(String),
    /// To be called this from now on.
    Rename(String),
    /// To be listed no longer.
    Leave,
}

impl Intent {
    /// The `event` of the frame that asks for it.
    pub(crate) fn event(&self) -> &'static str {
        match self {
            Self::Join(_) => "got_a_new_user",
            Self::Rename(_) => "rename",
            Self::Leave => "leave",
        }
    }
}
