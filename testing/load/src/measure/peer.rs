//! Other programs that do the same work, for comparison.

use std::{env, path::Path, process::Command};

use clap::ValueEnum;

/// A program that serves one room by Rollcall's frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Peer {
    /// Bun's publish/subscribe, which is that of uWebSockets.
    Bun,
}

/// What Bun runs.
const BUN_SERVER: &str = include_str!("../../peers/bun/server.js");

impl Peer {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bun => "bun",
        }
    }

    /// The variable that names the program; without it, the one on PATH is used.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Bun => "ROLLCALL_BUN",
        }
    }

    /// What starts it, with its files in this folder. It prints its address as Rollcall does.
    pub(crate) fn command(self, directory: &Path) -> std::io::Result<Command> {
        let script = directory.join("server.js");
        std::fs::write(&script, BUN_SERVER)?;
        let program = env::var_os(self.variable()).unwrap_or_else(|| self.name().into());
        let mut command = Command::new(program);
        command.arg(script);
        Ok(command)
    }
}
