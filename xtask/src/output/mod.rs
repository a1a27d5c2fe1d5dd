//! The output of a command: steps, failures and the test summary.

pub(crate) mod failure;
pub(crate) mod step;
pub(crate) mod test_summary;
