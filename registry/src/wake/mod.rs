//! How the hub wakes connections and rooms.
//!
//! - [`wake_flags`]: the reasons for which one task is woken, in one byte and with one waker.
//! - [`direct_write`]: how a broadcast writes to a socket itself, and who may write.
//! - [`timer_queue`]: the deadlines of all connections and rooms, with one timer for all of them.
//!
//! A wake never carries data: whatever is woken looks at the present state. So a wake too many is harmless.

pub mod direct_write;
pub mod timer_queue;
pub mod wake_flags;
