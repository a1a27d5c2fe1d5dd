//! Where a setting was set: a line of the file, an environment variable, or a flag.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// Where a setting was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A line of the settings file.
    File {
        /// The file.
        path: PathBuf,
        /// The line's number, from 1.
        line: usize,
    },
    /// An environment variable, by its name.
    Variable(String),
    /// A flag, without its dashes.
    Flag(&'static str),
}

impl Source {
    /// The line of a file's `text` that contains the offset `byte`.
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
