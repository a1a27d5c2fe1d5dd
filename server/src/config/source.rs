//! Where a setting was set: a line of the file, a variable of the environment, or a flag.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// Where something is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In the file.
    File {
        /// Which file.
        path: PathBuf,
        /// In which of its lines, from 1.
        line: usize,
    },
    /// In the environment.
    Variable(String),
    /// On the command line.
    Flag(&'static str),
}

impl Source {
    /// The place in a file's `text` that begins at `byte`.
    pub(super) fn in_file(path: &Path, text: &str, byte: usize) -> Self {
        let before = text.as_bytes().iter().take(byte);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        Self::File { path: path.to_owned(), line }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(formatter, "{}, line {line}", path.display()),
            Self::Variable(variable) => write!(formatter, "the variable {variable}"),
            Self::Flag(flag) => write!(formatter, "the flag --{flag}"),
        }
    }
}
