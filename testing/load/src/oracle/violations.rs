//! What turned out to be wrong.

/// A client whose list was wrong, or whose socket ended though nobody ended it.
#[derive(Clone, Debug, Default)]
pub struct Violations {
    /// How many.
    pub count: usize,
    /// What was wrong with the first.
    pub first: Option<String>,
}

impl Violations {
    /// Counts one more.
    pub fn add(&mut self, sentence: impl FnOnce() -> String) {
        self.count += 1;
        self.first.get_or_insert_with(sentence);
    }
}
