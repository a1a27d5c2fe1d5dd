//! What outlives a restart: the rooms in their file, private files, and the lock on their directory.

pub mod dir_lock;
pub(crate) mod private_file;
pub mod rooms_file;
