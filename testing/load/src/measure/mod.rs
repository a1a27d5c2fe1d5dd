//! Measurement: the server process, its traffic and latencies, the baseline, and the report.

pub mod baseline;
pub mod histogram;
pub mod peer;
pub mod report;
pub mod server_process;
pub mod system;
pub mod traffic;
