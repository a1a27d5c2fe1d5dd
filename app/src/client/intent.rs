//! Requests of the visitor that the server has not confirmed yet.

/// A request of the visitor that the server has not confirmed yet; it survives a disconnect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Be listed under this name.
    Join(String),
    /// Change the name to this.
    Rename(String),
    /// Be taken off the list.
    Leave,
}

impl Intent {
    /// The `event` field of the frame that requests it.
    pub(crate) fn event(&self) -> &'static str {
        match self {
            Self::Join(_) => "got_a_new_user",
            Self::Rename(_) => "rename",
            Self::Leave => "leave",
        }
    }
}
