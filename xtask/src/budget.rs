//! The size budget: what a first visit transfers, compressed as the server sends it.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::Path;

use crate::failure::{Failure, OrSay, Outcome};

/// What is sent to browsers that know it.
const BROTLI: Encoding =
    Encoding { name: "brotli", suffix: ".br", wasm: 100_000, visit: 130_000, embed: 15_000 };

/// What is sent to all others, and so to everybody on a local network without TLS.
const GZIP: Encoding =
    Encoding { name: "gzip", suffix: ".gz", wasm: 120_000, visit: 155_000, embed: 17_000 };

/// The script of the view in somebody else's page.
const EMBED_SCRIPT: &str = "embed.js";

/// A way to compress, and how many bytes it may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Encoding {
    name: &'static str,
    /// What the names of its files end with.
    suffix: &'static str,
    /// Of WASM on a first visit.
    wasm: u64,
    /// Of everything on a first visit.
    visit: u64,
    /// Of the view in somebody else's page: its style and its script. Its document takes the rest of
    /// the 20,000 that a browser test allows for all of it.
    embed: u64,
}

/// What a first visit transfers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sizes {
    encoding: Encoding,
    wasm: u64,
    script: u64,
    style: u64,
    /// The script of the view in somebody else's page, which no visit of a page itself needs.
    embed_script: u64,
}

/// Prints what a first visit transfers and fails if it is too much.
pub(crate) fn check(site: &Path) -> Outcome {
    let sizes = [Sizes::of(site, BROTLI)?, Sizes::of(site, GZIP)?];
    for sizes in sizes {
        println!("{sizes}");
    }
    sizes.into_iter().try_for_each(Sizes::verdict)
}

impl Sizes {
    fn none(encoding: Encoding) -> Self {
        Self { encoding, wasm: 0, script: 0, style: 0, embed_script: 0 }
    }

    fn of(folder: &Path, encoding: Encoding) -> Outcome<Self> {
        let mut sizes = Self::none(encoding);
        sizes.add_folder(folder)?;
        if [sizes.wasm, sizes.script, sizes.style, sizes.embed_script].contains(&0) {
            return Err(Failure::new(format!(
                "There are no compressed scripts and styles in {}: remove the folder and build \
                 again.",
                folder.display()
            )));
        }
        Ok(sizes)
    }

    fn add_folder(&mut self, folder: &Path) -> Outcome {
        let could_not = || format!("Could not look into {}", folder.display());
        for entry in fs::read_dir(folder).or_say(could_not)? {
            let entry = entry.or_say(could_not)?;
            let file = entry.metadata().or_say(could_not)?;
            if file.is_dir() {
                self.add_folder(&entry.path())?;
            } else {
                self.add_file(&entry.file_name().to_string_lossy(), file.len());
            }
        }
        Ok(())
    }

    fn add_file(&mut self, name: &str, bytes: u64) {
        let Some(name) = name.strip_suffix(self.encoding.suffix) else { return };
        match Path::new(name).extension().and_then(OsStr::to_str) {
            Some("wasm") => self.wasm += bytes,
            Some("js") if name == EMBED_SCRIPT => self.embed_script += bytes,
            Some("js") => self.script += bytes,
            Some("css") => self.style += bytes,
            _ => {}
        }
    }

    fn visit(self) -> u64 {
        self.wasm + self.script + self.style
    }

    fn embed(self) -> u64 {
        self.style + self.embed_script
    }

    fn verdict(self) -> Outcome {
        let Encoding { name, wasm, visit, embed, .. } = self.encoding;
        let too_much = if self.wasm > wasm {
            format!("The WASM is {} bytes over its budget", self.wasm - wasm)
        } else if self.visit() > visit {
            format!("A first visit is {} bytes over its budget", self.visit() - visit)
        } else if self.embed() > embed {
            format!("The embed is {} bytes over its budget", self.embed() - embed)
        } else {
            return Ok(());
        };
        Err(Failure::new(format!("{too_much} by {name}: find what grew and make it smaller.")))
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = [
            ("WASM", self.wasm, Some(self.encoding.wasm)),
            ("script", self.script, None),
            ("style", self.style, None),
            ("first visit", self.visit(), Some(self.encoding.visit)),
            ("embed", self.embed(), Some(self.encoding.embed)),
        ];
        write!(formatter, "  {:<12} {:>8} {:>8}", self.encoding.name, "bytes", "limit")?;
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
    fn only_what_a_browser_loads_counts() {
        for (encoding, other) in [(BROTLI, GZIP), (GZIP, BROTLI)] {
            let mut sizes = Sizes::none(encoding);
            let compressed = |name: &str| format!("{name}{}", encoding.suffix);
            sizes.add_file("rollcall.hash.wasm", 1_000);
            sizes.add_file(&format!("rollcall.hash.wasm{}", other.suffix), 1_000);
            sizes.add_file(&compressed("rollcall.d.hash.ts"), 1_000);
            sizes.add_file(&compressed("rollcall_bg.wasm.d.hash.ts"), 1_000);
            assert_eq!(sizes, Sizes::none(encoding));
            sizes.add_file(&compressed("rollcall.hash.wasm"), 1);
            sizes.add_file(&compressed("rollcall.hash.js"), 2);
            sizes.add_file(&compressed("rollcall.hash.css"), 4);
            assert_eq!(sizes.visit(), 7);
            sizes.add_file(&compressed(EMBED_SCRIPT), 8);
            assert_eq!((sizes.visit(), sizes.embed()), (7, 12));
        }
    }

    #[test]
    fn the_limits_themselves_are_allowed() {
        for encoding in [BROTLI, GZIP] {
            let Encoding { wasm, visit, embed, .. } = encoding;
            let sizes = |wasm, script| Sizes { wasm, script, ..Sizes::none(encoding) };
            assert_eq!(sizes(wasm, visit - wasm).verdict(), Ok(()));
            assert!(sizes(wasm + 1, 0).verdict().is_err());
            assert!(sizes(wasm, visit - wasm + 1).verdict().is_err());
            let embedded = |style| Sizes { style, embed_script: 1_000, ..Sizes::none(encoding) };
            assert_eq!(embedded(embed - 1_000).verdict(), Ok(()));
            assert!(embedded(embed - 999).verdict().is_err());
        }
    }
}
