//! The size budget: the bytes of a first visit, compressed as the server sends them.

use std::fmt;
use std::fs;
use std::path::Path;

use crate::output::failure::{Context, Failure, Outcome};

/// Bytes of WASM on a first visit, compressed by brotli.
const WASM_LIMIT: u64 = 100_000;
/// Bytes of all files of a first visit, compressed by brotli.
const VISIT_LIMIT: u64 = 130_000;

/// Bytes of the embedded view's style and script, compressed by brotli. Its document takes the rest
/// of the 20,000 bytes that a browser test allows for the whole view.
const EMBED_LIMIT: u64 = 15_000;

/// The compressed script of the embedded view.
const EMBED_SCRIPT: &str = "embed.js.br";

/// Compressed sizes in bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Sizes {
    wasm: u64,
    script: u64,
    style: u64,
    /// The script of the embedded view, which a visit of the page does not load.
    embed_script: u64,
}

/// Prints the sizes and fails if one is over its limit.
pub(crate) fn check(site: &Path) -> Outcome {
    let sizes = Sizes::of(site)?;
    println!("{sizes}");
    sizes.verdict()
}

impl Sizes {
    fn of(folder: &Path) -> Outcome<Self> {
        let mut sizes = Self::default();
        sizes.add_folder(folder)?;
        if [sizes.wasm, sizes.script, sizes.style, sizes.embed_script].contains(&0) {
            return Err(Failure::new(format!(
                "{} has no compressed scripts and styles: remove the folder and build again.",
                folder.display()
            )));
        }
        Ok(sizes)
    }

    fn add_folder(&mut self, folder: &Path) -> Outcome {
        let could_not = || format!("Could not read {}", folder.display());
        for entry in fs::read_dir(folder).with_context(could_not)? {
            let entry = entry.with_context(could_not)?;
            let file = entry.metadata().with_context(could_not)?;
            if file.is_dir() {
                self.add_folder(&entry.path())?;
            } else {
                self.add_file(&entry.file_name().to_string_lossy(), file.len());
            }
        }
        Ok(())
    }

    fn add_file(&mut self, name: &str, bytes: u64) {
        if name.ends_with(".wasm.br") {
            self.wasm += bytes;
        } else if name == EMBED_SCRIPT {
            self.embed_script += bytes;
        } else if name.ends_with(".js.br") {
            self.script += bytes;
        } else if name.ends_with(".css.br") {
            self.style += bytes;
        }
    }

    fn visit(self) -> u64 {
        self.wasm + self.script + self.style
    }

    fn embed(self) -> u64 {
        self.style + self.embed_script
    }

    fn verdict(self) -> Outcome {
        let too_much = if self.wasm > WASM_LIMIT {
            format!("The WASM is {} bytes over its budget", self.wasm - WASM_LIMIT)
        } else if self.visit() > VISIT_LIMIT {
            format!("A first visit is {} bytes over its budget", self.visit() - VISIT_LIMIT)
        } else if self.embed() > EMBED_LIMIT {
            format!("The embed is {} bytes over its budget", self.embed() - EMBED_LIMIT)
        } else {
            return Ok(());
        };
        Err(Failure::new(format!("{too_much}: find what grew and make it smaller.")))
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = [
            ("WASM", self.wasm, Some(WASM_LIMIT)),
            ("script", self.script, None),
            ("style", self.style, None),
            ("first visit", self.visit(), Some(VISIT_LIMIT)),
            ("embed", self.embed(), Some(EMBED_LIMIT)),
        ];
        write!(formatter, "  {:<12} {:>8} {:>8}", "brotli", "bytes", "limit")?;
        for (name, bytes, limit) in rows {
            write!(formatter, "\n  {name:<12} {bytes:>8}")?;
            if let Some(limit) = limit {
                write!(formatter, " {limit:>8}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_cover_only_files_that_browsers_load() {
        let mut sizes = Sizes::default();
        for name in [
            "rollcall.hash.wasm",
            "rollcall.hash.wasm.gz",
            "rollcall.d.hash.ts.br",
            "rollcall_bg.wasm.d.hash.ts.br",
        ] {
            sizes.add_file(name, 1_000);
        }
        assert_eq!(sizes, Sizes::default());
        sizes.add_file("rollcall.hash.wasm.br", 1);
        sizes.add_file("rollcall.hash.js.br", 2);
        sizes.add_file("rollcall.hash.css.br", 4);
        assert_eq!(sizes.visit(), 7);
        sizes.add_file(EMBED_SCRIPT, 8);
        assert_eq!((sizes.visit(), sizes.embed()), (7, 12));
    }

    #[test]
    fn sizes_equal_to_the_limits_are_accepted() {
        let sizes = |wasm, script| Sizes { wasm, script, ..Sizes::default() };
        assert_eq!(sizes(WASM_LIMIT, 30_000).verdict(), Ok(()));
        assert!(sizes(WASM_LIMIT + 1, 0).verdict().is_err());
        assert!(sizes(90_000, 40_001).verdict().is_err());
        let embed = |style| Sizes { style, embed_script: 1_000, ..Sizes::default() };
        assert_eq!(embed(EMBED_LIMIT - 1_000).verdict(), Ok(()));
        assert!(embed(EMBED_LIMIT - 999).verdict().is_err());
    }
}
