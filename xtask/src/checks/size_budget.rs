//! The size budget: the bytes of a first visit, compressed as the server sends them.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::Path;

use crate::output::failure::{Context, Failure, Outcome};

/// Browsers accept it over HTTPS and on localhost.
const BROTLI: Encoding =
    Encoding { name: "brotli", suffix: ".br", wasm: 100_000, visit: 130_000, embed: 15_000 };

/// All browsers accept it, also over a local network without TLS.
const GZIP: Encoding =
    Encoding { name: "gzip", suffix: ".gz", wasm: 120_000, visit: 155_000, embed: 17_000 };

/// The script of the embedded view.
const EMBED_SCRIPT: &str = "embed.js";

/// Scripts that a page loads only where something fails, after an update of the server, on a wall, or where somebody
/// takes the roll; and those for other people's pages, whose budget a test of `client` has.
const LATER_SCRIPTS: [&str; 20] = [
    "blocked.js",
    "client.js",
    "highlight.js",
    "host.js",
    "new-version.js",
    "recovery.js",
    "roll-call.js",
    "roll-marks.js",
    "roll-match.js",
    "roll-model.js",
    "roll-names.js",
    "roll-output.js",
    "roll-people.js",
    "roll-sheet.js",
    "roll-table.js",
    "roll-text.js",
    "roll-xlsx.js",
    "wake-lock.js",
    "wall.js",
    "watch.js",
];

/// A content encoding, and its limits in compressed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Encoding {
    name: &'static str,
    /// The suffix of its files.
    suffix: &'static str,
    /// WASM of a first visit.
    wasm: u64,
    /// All files of a first visit.
    visit: u64,
    /// The embedded view's style and script. Its document takes the rest of the 20,000 bytes that a
    /// browser test allows for the whole view.
    embed: u64,
}

/// Compressed sizes in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sizes {
    encoding: Encoding,
    wasm: u64,
    script: u64,
    style: u64,
    /// The script of the embedded view, which no visit of a page loads.
    embed_script: u64,
}

/// Prints the sizes and fails if one is over its limit.
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
        let Some(name) = name.strip_suffix(self.encoding.suffix) else { return };
        match Path::new(name).extension().and_then(OsStr::to_str) {
            Some("wasm") => self.wasm += bytes,
            Some("js") if name == EMBED_SCRIPT => self.embed_script += bytes,
            Some("js") if LATER_SCRIPTS.contains(&name) => {}
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
    fn sizes_cover_only_files_that_browsers_load() {
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
    fn sizes_equal_to_the_limits_are_accepted() {
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
