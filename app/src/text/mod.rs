//! What the page says, visible or announced.

#[cfg(feature = "ui")]
pub(crate) mod announcement;
pub(crate) mod avatar;
#[cfg(feature = "ssr")]
pub(crate) mod catalog;
#[cfg(feature = "ui")]
pub(crate) mod format;
#[cfg(feature = "ssr")]
pub(crate) mod language;
#[cfg(feature = "ui")]
pub(crate) mod strings;
#[cfg(feature = "ui")]
pub(crate) mod texts;
