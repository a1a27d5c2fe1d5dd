//! What survives a restart: the rooms file, private files, and the lock on their directory.

pub mod dir_lock;
pub(crate) mod private_file;
pub mod rooms_file;
pub(crate) mod rooms_saver;
pub mod secret_file;
