//! The names of the page's script, WASM and style sheet in a directory: with a hash of the content, or without.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use leptos::config::LeptosOptions;

/// The kinds of built files, which are also their extensions.
const KINDS: [&str; 3] = ["js", "wasm", "css"];

/// Why a directory can't be served as the site: its pages would have no script or no style.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// There is no subdirectory with built files.
    #[error("The page's files are not in {}: build them with `cargo xtask build`, or set site-root to their directory.", directory.display())]
    NoDirectory {
        /// The site's directory.
        directory: PathBuf,
    },
    /// A built file does not exist.
    #[error("{} does not exist, nor does a file of that name with a hash: build the page with `cargo xtask build`, or set site-root, site-pkg-dir and output-name as in the build.", path.display())]
    NoFile {
        /// The file without a hash.
        path: PathBuf,
    },
    /// There are several files with a hash, and nothing says which of them belong together.
    #[error("{} has files of several builds, {one} and {other}: remove the directory, and build the page again with `cargo xtask build`.", directory.display())]
    SeveralBuilds {
        /// The directory of the built files.
        directory: PathBuf,
        /// A file.
        one: String,
        /// Another of the same kind.
        other: String,
    },
}

/// Whether every built file is in `site`.
pub(super) fn check(site: &Path, options: &LeptosOptions) -> Result<(), SiteError> {
    let directory = site.join(&*options.site_pkg_dir);
    if !directory.is_dir() {
        return Err(SiteError::NoDirectory { directory: site.to_owned() });
    }
    KINDS.iter().try_for_each(|kind| name(&directory, options, kind).map(drop))
}

/// The name of the built file of this kind.
///
/// The setting `hash-files` decides only where there are files with a hash and without: a directory can be copied
/// to where nobody knows how it was built.
pub(super) fn name(
    directory: &Path,
    options: &LeptosOptions,
    kind: &str,
) -> Result<String, SiteError> {
    let plain = format!("{}.{kind}", options.output_name);
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<_> = names
        .filter(|name| *name == plain || hash_in(name, &options.output_name, kind).is_some())
        .collect();
    names.sort();
    let (as_set, others): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| (*name != plain) == options.hash_files);
    let mut candidates = if as_set.is_empty() { others } else { as_set };
    if let [one, other, ..] = candidates.as_slice() {
        let recorded = recorded_hash(options, kind)
            .map(|hash| format!("{}.{hash}.{kind}", options.output_name));
        return match recorded.filter(|name| candidates.contains(name)) {
            Some(name) => Ok(name),
            None => Err(SiteError::SeveralBuilds {
                directory: directory.to_owned(),
                one: one.clone(),
                other: other.clone(),
            }),
        };
    }
    candidates.pop().ok_or_else(|| SiteError::NoFile { path: directory.join(plain) })
}

/// The hash in a file's name, `OUTPUT_NAME.HASH.KIND`.
pub(super) fn hash_in<'name>(
    name: &'name str,
    output_name: &str,
    kind: &str,
) -> Option<&'name str> {
    let hash = name.strip_prefix(output_name)?.strip_prefix('.')?.strip_suffix(kind)?;
    let hash = hash.strip_suffix('.')?;
    (!hash.is_empty() && !hash.contains('.')).then_some(hash)
}

/// The hash of the latest build, from the file that cargo-leptos writes beside the program.
fn recorded_hash(options: &LeptosOptions, kind: &str) -> Option<String> {
    let program = env::current_exe().ok()?;
    let hashes = fs::read_to_string(program.with_file_name(&*options.hash_file)).ok()?;
    let mut lines = hashes.lines().filter_map(|line| line.trim().split_once(':'));
    lines.find(|(of_kind, _)| *of_kind == kind).map(|(_, hash)| hash.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(hash_files: bool) -> LeptosOptions {
        LeptosOptions::builder().output_name("rollcall").hash_files(hash_files).build()
    }

    fn site_with(names: &[&str]) -> tempfile::TempDir {
        let site = tempfile::tempdir().unwrap();
        fs::create_dir(site.path().join("pkg")).unwrap();
        for name in names {
            fs::write(site.path().join("pkg").join(name), "").unwrap();
        }
        site
    }

    const PLAIN: [&str; 3] = ["rollcall.js", "rollcall.wasm", "rollcall.css"];
    const HASHED: [&str; 5] = [
        "rollcall.AbC-1_2.js",
        "rollcall.AbC-1_2.js.br",
        "rollcall.d.Xyz.ts",
        "rollcall.3.wasm",
        "rollcall.4.css",
    ];

    #[test]
    fn the_names_are_found_whatever_the_setting_says() {
        for (names, hash_files, script) in [
            (PLAIN.to_vec(), false, "rollcall.js"),
            (PLAIN.to_vec(), true, "rollcall.js"),
            (HASHED.to_vec(), false, "rollcall.AbC-1_2.js"),
            (HASHED.to_vec(), true, "rollcall.AbC-1_2.js"),
            ([PLAIN.as_slice(), &HASHED].concat(), false, "rollcall.js"),
            ([PLAIN.as_slice(), &HASHED].concat(), true, "rollcall.AbC-1_2.js"),
        ] {
            let (site, options) = (site_with(&names), options(hash_files));
            check(site.path(), &options).unwrap();
            assert_eq!(name(&site.path().join("pkg"), &options, "js").unwrap(), script);
        }
    }

    #[test]
    fn a_missing_or_ambiguous_file_is_an_error() {
        for hash_files in [false, true] {
            let options = options(hash_files);
            let check = |names: &[&str]| check(site_with(names).path(), &options).unwrap_err();
            for (names, file) in [
                (vec![], "pkg/rollcall.js "),
                (vec!["other.js", "other.wasm", "other.css"], "pkg/rollcall.js "),
                (PLAIN[..2].to_vec(), "pkg/rollcall.css "),
            ] {
                let error = check(&names).to_string();
                assert!(error.contains(file) && error.contains("output-name"), "{error}");
            }
            let error = check(&[HASHED.as_slice(), &["rollcall.5.css"]].concat()).to_string();
            assert!(error.contains("rollcall.4.css and rollcall.5.css"), "{error}");
        }
        let empty = tempfile::tempdir().unwrap();
        let error = super::check(empty.path(), &options(false)).unwrap_err();
        assert!(matches!(error, SiteError::NoDirectory { .. }), "{error}");
    }
}
