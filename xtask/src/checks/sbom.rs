//! The software bill of materials of the server, in `CycloneDX` JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use crate::output::failure::{Context, Failure, Outcome};
use crate::process;
use crate::workspace::Workspace;

/// All packages that are linked into the server for this target, or for the host.
///
/// The result depends on `Cargo.lock` alone: it contains no date and no random serial number.
pub(crate) fn for_server(workspace: &Workspace, target: Option<&str>) -> Outcome<String> {
    let mut command = workspace.cargo(&["tree", "--package", "server", "--edges", "normal"]);
    command.args(["--prefix", "none", "--format", "{p}\t{l}", "--locked"]);
    command.args(target.iter().flat_map(|target| ["--target", target]));
    let tree = process::capture(&mut command)
        .ok_or_else(|| Failure::new(format!("`{}` failed.", process::command_line(&command))))?;
    let lock = workspace.root.join("Cargo.lock");
    let lock =
        fs::read_to_string(&lock).with_context(|| format!("Could not read {}", lock.display()))?;
    Ok(document(&parts(&tree), &checksums(&lock)))
}

/// A package: its name and its version.
type Package = (String, String);

/// The packages of a `cargo tree`, each with its licence.
fn parts(tree: &str) -> BTreeMap<Package, String> {
    let part = |line: &str| {
        let (package, licence) = line.split_once('\t')?;
        let mut words = package.split_whitespace();
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        // `(*)` marks a package whose dependencies were printed before.
        let licence = licence.trim_end_matches("(*)").trim();
        Some(((name.to_owned(), version.to_owned()), licence.to_owned()))
    };
    tree.lines().filter_map(part).collect()
}

/// The checksums of a `Cargo.lock`, by package.
fn checksums(lock: &str) -> BTreeMap<Package, String> {
    let mut checksums = BTreeMap::new();
    for block in lock.split("[[package]]") {
        let value = |key: &str| {
            let mut lines = block.lines().filter_map(|line| line.split_once(" = "));
            lines
                .find(|(name, _)| *name == key)
                .map(|(_, value)| value.trim_matches('"').to_owned())
        };
        if let (Some(name), Some(version), Some(checksum)) =
            (value("name"), value("version"), value("checksum"))
        {
            checksums.insert((name, version), checksum);
        }
    }
    checksums
}

fn document(parts: &BTreeMap<Package, String>, checksums: &BTreeMap<Package, String>) -> String {
    let components: Vec<_> =
        parts.iter().map(|(part, licence)| component(part, licence, checksums.get(part))).collect();
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "{{\n  \"bomFormat\": \"CycloneDX\",\n  \"specVersion\": \"1.5\",\n  \"version\": 1,\n  \
         \"metadata\": {{\"component\": {{\"type\": \"application\", \"name\": \"rollcall\", \
         \"version\": \"{version}\"}}}},\n  \"components\": [\n{}\n  ]\n}}\n",
        components.join(",\n")
    )
}

fn component((name, version): &Package, licence: &str, checksum: Option<&String>) -> String {
    // Some crates still use the older `/`; CycloneDX requires SPDX expressions.
    let licence = licence.replace('/', " OR ");
    let mut text = format!(
        "    {{\"type\": \"library\", \"name\": {name:?}, \"version\": {version:?}, \
         \"purl\": \"pkg:cargo/{name}@{version}\""
    );
    if !licence.is_empty() {
        let _ = write!(text, ", \"licenses\": [{{\"expression\": {licence:?}}}]");
    }
    if let Some(checksum) = checksum {
        let _ = write!(text, ", \"hashes\": [{{\"alg\": \"SHA-256\", \"content\": {checksum:?}}}]");
    }
    text + "}"
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "server v0.1.0 (/somewhere/server)\tMIT OR Apache-2.0\n\
        serde v1.0.228\tMIT OR Apache-2.0\n\
        fnv v1.0.7\tApache-2.0/MIT\n\
        serde v1.0.228\tMIT OR Apache-2.0 (*)\n";

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"serde\"\nversion = \"1.0.228\"\n\
        source = \"registry\"\nchecksum = \"9a8e\"\ndependencies = [\n \"serde_core\",\n]\n\n\
        [[package]]\nname = \"server\"\nversion = \"0.1.0\"\n";

    #[test]
    fn document_lists_each_package_once_with_licence_and_checksum() {
        let text = document(&parts(TREE), &checksums(LOCK));
        assert_eq!(text.matches("\"type\": \"library\"").count(), 3);
        let serde = "{\"type\": \"library\", \"name\": \"serde\", \"version\": \"1.0.228\", \
            \"purl\": \"pkg:cargo/serde@1.0.228\", \
            \"licenses\": [{\"expression\": \"MIT OR Apache-2.0\"}], \
            \"hashes\": [{\"alg\": \"SHA-256\", \"content\": \"9a8e\"}]}";
        assert!(text.contains(serde), "{text}");
        assert!(text.contains("\"expression\": \"Apache-2.0 OR MIT\""), "{text}");
        assert!(!text.contains("/somewhere"), "{text}");
    }
}
