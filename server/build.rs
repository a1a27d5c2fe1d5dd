//! Embeds the page's files into the program, if `ROLLCALL_EMBED` is set to the directory of a built site.
//!
//! Only `cargo xtask dist` sets it: in every other build the program serves a directory.

use std::{
    env,
    error::Error,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=ROLLCALL_EMBED");
    let mut files = Vec::new();
    if let Some(site) = env::var_os("ROLLCALL_EMBED").filter(|site| !site.is_empty()) {
        let site = fs::canonicalize(site)?;
        println!("cargo::rerun-if-changed={}", site.display());
        collect(&site, &site, &mut files)?;
    }
    files.sort();
    let mut code = "&[\n".to_owned();
    for (name, path) in files {
        let path = path.display().to_string();
        writeln!(
            code,
            "    EmbeddedFile {{ path: {name:?}, content: include_bytes!({path:?}) }},"
        )?;
    }
    code += "]\n";
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    fs::write(PathBuf::from(out).join("embedded_files.rs"), code)?;
    Ok(())
}

/// All files in and below `directory`, by their path relative to `site`.
fn collect(
    site: &Path,
    directory: &Path,
    files: &mut Vec<(String, PathBuf)>,
) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(site, &path, files)?;
        } else {
            let name = path.strip_prefix(site)?.to_str().ok_or("a file name is not UTF-8")?;
            files.push((name.replace('\\', "/"), path));
        }
    }
    Ok(())
}
