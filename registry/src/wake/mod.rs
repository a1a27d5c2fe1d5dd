//! What wakes a connection: flags that say why, and one queue of timers for all of them.

pub mod timer_queue;
pub mod wake_flags;
