//! Versions of tools and of the packages in `Cargo.lock`.

use std::fmt;

/// A released version. Binaryen's versions have one number: 132 is 132.0.0 here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    /// Changes with incompatible releases.
    pub(crate) major: u32,
    /// Changes with compatible releases, or below 1.0 with incompatible ones.
    pub(crate) minor: u32,
    /// Changes with fixes.
    pub(crate) patch: u32,
}

impl Version {
    /// A version `major.minor.patch`.
    pub(crate) const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// Parses `1`, `1.2` or `1.2.3`. Pre-releases are refused.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(str::parse::<u32>);
        let major = numbers.next()?.ok()?;
        let minor = numbers.next().unwrap_or(Ok(0)).ok()?;
        let patch = numbers.next().unwrap_or(Ok(0)).ok()?;
        numbers.next().is_none().then_some(Self::new(major, minor, patch))
    }

    /// Finds the first version in the output of `--version`.
    pub(crate) fn find_in(output: &str) -> Option<Self> {
        output.split_whitespace().find_map(Self::parse)
    }

    /// The version of `package` in the text of a `Cargo.lock`.
    pub(crate) fn locked(lock: &str, package: &str) -> Option<Self> {
        let name = format!("name = \"{package}\"");
        let mut lines = lock.lines().skip_while(|line| line.trim() != name);
        lines.next()?;
        let version = lines.next()?.trim().strip_prefix("version = \"")?;
        Self::parse(version.strip_suffix('"')?)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn find_in_reads_the_output_of_each_tool() {
        let cases = [
            ("cargo-leptos 0.3.10\n", Some(Version::new(0, 3, 10))),
            ("wasm-bindgen 0.2.129", Some(Version::new(0, 2, 129))),
            ("wasm-opt version 132 (version_132)", Some(Version::new(132, 0, 0))),
            ("wasm-opt version 108 (version_108-2-g0)", Some(Version::new(108, 0, 0))),
            ("error: no such command: `leptos`", None),
            ("", None),
        ];
        for (output, version) in cases {
            assert_eq!(Version::find_in(output), version, "{output}");
        }
    }

    #[test]
    fn parse_refuses_pre_releases_and_other_text() {
        for text in ["1.2.3-rc1", "1.2.3.4", "v1", "", "1..2"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn versions_are_ordered_by_number() {
        assert!(Version::new(0, 3, 9) < Version::new(0, 3, 10));
    }

    #[test]
    fn locked_ignores_packages_with_a_longer_name() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.2.1\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.129\"\n";
        assert_eq!(Version::locked(lock, "wasm-bindgen"), Some(Version::new(0, 2, 129)));
        assert_eq!(Version::locked(lock, "wasm-opt"), None);
    }
}
