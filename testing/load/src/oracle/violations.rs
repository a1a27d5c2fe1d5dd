//! Violations: wrong lists, and sockets that ended unexpectedly.

/// The violations of a run.
#[derive(Clone, Debug, Default)]
pub struct Violations {
    /// The number of violations.
    pub count: usize,
    /// A description of the first one.
    pub first: Option<String>,
}

impl Violations {
    /// Counts a violation.
    pub fn add(&mut self, sentence: impl FnOnce() -> String) {
        self.count += 1;
        self.first.get_or_insert_with(sentence);
    }

    /// Adds those of another part of the run.
    pub fn extend(&mut self, other: &Self) {
        self.count += other.count;
        if self.first.is_none() {
            self.first.clone_from(&other.first);
        }
    }
}
