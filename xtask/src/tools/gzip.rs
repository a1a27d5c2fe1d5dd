//! The `.gz` files of a release build, smaller than cargo-leptos makes them.
//!
//! Browsers ask for brotli over HTTPS and on this machine only: over a local network without TLS,
//! everybody loads these.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::output::failure::{Context, Outcome};

/// How hard to try: cargo-leptos' compressor has no such choice, and leaves a seventh more.
pub(crate) const LEVEL: u32 = 9;

/// Writes every `.gz` file in a folder and below it again, from the file beside it.
pub(crate) fn compress_again(folder: &Path) -> Outcome {
    compress_folder(folder).with_context(|| format!("Could not compress {}", folder.display()))
}

fn compress_folder(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            compress_folder(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "gz") {
            let original = fs::read(path.with_extension(""))?;
            fs::write(&path, compressed(&original)?)?;
        }
    }
    Ok(())
}

/// The same bytes give the same file: no name and no time is in it.
fn compressed(original: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(LEVEL));
    encoder.write_all(original)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn only_files_that_were_compressed_are_compressed_again() {
        let folder = std::env::temp_dir().join(format!("rollcall-gzip-{}", std::process::id()));
        let inner = folder.join("pkg");
        fs::create_dir_all(&inner).unwrap();
        let text = "a presence list, ".repeat(100);
        fs::write(inner.join("rollcall.js"), &text).unwrap();
        fs::write(inner.join("rollcall.js.gz"), "what cargo-leptos made").unwrap();
        fs::write(inner.join("rollcall.css"), &text).unwrap();
        compress_again(&folder).unwrap();
        let files = fs::read_dir(&inner).unwrap().count();
        let written = fs::read(inner.join("rollcall.js.gz")).unwrap();
        fs::remove_dir_all(&folder).unwrap();

        let mut read = String::new();
        GzDecoder::new(written.as_slice()).read_to_string(&mut read).unwrap();
        assert_eq!(read, text);
        assert_eq!(files, 3);
    }
}
