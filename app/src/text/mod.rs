//! Every text of the page, visible or announced.

pub(crate) mod announcement;
pub(crate) mod avatar;
pub(crate) mod elapsed;
pub(crate) mod strings;
