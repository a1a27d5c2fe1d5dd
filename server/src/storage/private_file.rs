//! Files that only the server's user can read.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

/// Writes a file atomically, with mode 0600 on Unix. After a loss of power it is this one, or the one before.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    // A process that ended while writing may have left one, whose mode would be kept.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = create(new.as_ref())?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    // The new name is on the disk only then. Some file systems refuse it, and the file is written all the same.
    #[cfg(unix)]
    if let Some(directory) = path.parent() {
        let _ = fs::File::open(directory).and_then(|directory| directory.sync_all());
    }
    Ok(())
}

/// Creates a directory and those above it that are missing, with mode 0700 on Unix: it is for secrets.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Whether [`write`] could create a file in this directory and the directory itself; leaves nothing behind.
pub(crate) fn check_creatable(directory: &Path) -> io::Result<()> {
    let missing: Vec<_> = directory.ancestors().take_while(|path| !path.exists()).collect();
    let probe = directory.join(format!("check-{}", std::process::id()));
    let outcome = create_directory(directory).and_then(|()| create(&probe).map(drop));
    // What can't be removed was not created, and an empty path is the working directory.
    let _ = fs::remove_file(probe);
    for path in missing {
        let _ = fs::remove_dir(path);
    }
    outcome
}

#[cfg(unix)]
fn create(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create_new(true).open(path)
}
