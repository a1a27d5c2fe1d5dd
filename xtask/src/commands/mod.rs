//! The commands, one per file.

pub(crate) mod bench;
pub(crate) mod build;
pub(crate) mod check;
#[cfg(unix)]
pub(crate) mod cluster;
pub(crate) mod dist;
pub(crate) mod fuzz;
pub(crate) mod lighthouse;
pub(crate) mod load;
pub(crate) mod release;
pub(crate) mod serve;
pub(crate) mod setup;
pub(crate) mod soak;
pub(crate) mod test;
