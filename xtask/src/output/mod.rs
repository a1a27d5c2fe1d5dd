//! What a command prints: steps, failures, and the summary of the tests.

pub(crate) mod failure;
pub(crate) mod step;
pub(crate) mod test_summary;
