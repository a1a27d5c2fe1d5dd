//! Every sentence of the page: what is read, and what a screen reader says.

pub(crate) mod announcement;
pub(crate) mod elapsed;
pub(crate) mod strings;
