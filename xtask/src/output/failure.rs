//! The error of a command: one sentence that names the cause and what helps.

use std::fmt;

/// The sentence that is printed when a command fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure(String);

/// The result of a step.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure with this sentence.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Adds a description of the failed operation to an error, like `anyhow::Context`.
pub(crate) trait Context<T> {
    /// The sentence is `what`, then the error.
    fn with_context(self, what: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T, E: fmt::Display> Context<T> for Result<T, E> {
    fn with_context(self, what: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|error| Failure(format!("{}: {error}.", what())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_comes_before_the_error() {
        let failed: Result<(), _> = Err("no such file");
        let sentence = failed.with_context(|| "Could not read Cargo.lock".to_owned());
        assert_eq!(sentence, Err(Failure::new("Could not read Cargo.lock: no such file.")));
    }
}
