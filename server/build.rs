//! Puts the page's files into the program, where `ROLLCALL_EMBED` names the folder of a finished site.
//!
//! Without it, which is every build but `cargo xtask dist`, the program has none and serves a folder.

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
    let out = env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?;
    fs::write(PathBuf::from(out).join("embedded_files.rs"), code)?;
    Ok(())
}

/// All files at and below a folder, by their path from the site's own.
fn collect(
    site: &Path,
    folder: &Path,
    files: &mut Vec<(String, PathBuf)>,
) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(site, &path, files)?;
        } else {
            let name = path.strip_prefix(site)?.to_str().ok_or("a file's name is not UTF-8")?;
            files.push((name.replace('\\', "/"), path));
        }
    }
    Ok(())
}
