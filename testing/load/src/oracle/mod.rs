//! What every list should be, and the judge of every list.

pub mod lists;
pub mod server_list;
pub mod truth;
pub mod violations;
