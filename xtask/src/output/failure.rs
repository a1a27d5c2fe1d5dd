//! How a command fails: one sentence that says what to do.

use std::fmt;

/// The sentence that a command ends with when it cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure(String);

/// The result of a step.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure with its sentence.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Turns an error of the system into a sentence.
pub(crate) trait Context<T> {
    /// Says `what` could not be done, and why.
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
    fn an_error_of_the_system_becomes_a_sentence() {
        let failed: Result<(), _> = Err("no such file");
        let sentence = failed.with_context(|| "Could not read Cargo.lock".to_owned());
        assert_eq!(sentence, Err(Failure::new("Could not read Cargo.lock: no such file.")));
    }
}
