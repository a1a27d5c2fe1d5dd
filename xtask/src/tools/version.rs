//! Versions: of tools, and of the packages in `Cargo.lock`.

use std::fmt;

/// A released version. Binaryen counts in whole numbers: 132 is 132.0.0 here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    /// The first number.
    pub(crate) major: u32,
    /// The second number.
    pub(crate) minor: u32,
    /// The third number.
    pub(crate) patch: u32,
}

impl Version {
    /// A version of three numbers.
    pub(crate) const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// Reads `1`, `1.2` or `1.2.3`; a pre-release is none of them.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(str::parse::<u32>);
        let major = numbers.next()?.ok()?;
        let minor = numbers.next().unwrap_or(Ok(0)).ok()?;
        let patch = numbers.next().unwrap_or(Ok(0)).ok()?;
        numbers.next().is_none().then_some(Self::new(major, minor, patch))
    }

    /// Finds the first version in what a tool prints for `--version`.
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
    fn reads_what_the_tools_print() {
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
    fn refuses_what_is_no_release() {
        for text in ["1.2.3-rc1", "1.2.3.4", "v1", "", "1..2"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn orders_by_number_not_by_letter() {
        assert!(Version::new(0, 3, 9) < Version::new(0, 3, 10));
    }

    #[test]
    fn finds_the_package_itself_in_the_lock_file() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.2.1\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.129\"\n";
        assert_eq!(Version::locked(lock, "wasm-bindgen"), Some(Version::new(0, 2, 129)));
        assert_eq!(Version::locked(lock, "wasm-opt"), None);
    }
}
