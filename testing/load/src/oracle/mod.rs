//! The oracle: the record of what the clients did, and the check of every list against it.

pub mod lists;
pub mod server_list;
pub mod truth;
pub mod violations;
