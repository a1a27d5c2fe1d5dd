//! What is measured, and what it is compared with.

pub mod baseline;
pub mod histogram;
pub mod report;
pub mod server_process;
pub mod system;
pub mod traffic;
