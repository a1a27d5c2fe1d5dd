//! Secrets in files: those that other users of the machine can read are refused.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Permissions of the file's group and of all other users.
const GROUP_AND_OTHERS: u32 = 0o077;

/// Permissions of all other users.
const OTHERS: u32 = 0o007;

/// What others have access to, and what to do about it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExposedError {
    /// A secret that the server keeps in its state directory.
    #[error(
        "Other users of this machine have access to {} (mode {mode:04o}): run `chmod 600 {}`. If one of them may have read it, remove it instead: the server makes a new one.",
        path.display(), path.display()
    )]
    OwnFile {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// A secret that a setting names.
    #[error(
        "All users of this machine have access to {}, which is set as {setting} (mode {mode:04o}): run `chmod o= {}`. If one of them may have read it, replace it.",
        path.display(), path.display()
    )]
    GivenFile {
        /// The setting.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The state directory, in which others could replace every file.
    #[error(
        "Other users of this machine can write to the state directory {} (mode {mode:04o}): run `chmod 700 {}`, or set state-dir to a new directory inside of it.",
        path.display(), path.display()
    )]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

/// An error with a secret's file.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// It can't be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// Others have access to it.
    #[error(transparent)]
    Exposed(#[from] ExposedError),
}

/// Reads a secret of the state directory. Nobody but the server's user needs it.
pub(crate) fn read_own(path: &Path) -> Result<Vec<u8>, SecretFileError> {
    let (content, metadata) = read(path)?;
    match mode(&metadata) {
        mode if mode & GROUP_AND_OTHERS == 0 => Ok(content),
        mode => Err(ExposedError::OwnFile { path: path.to_owned(), mode }.into()),
    }
}

/// Reads a secret that a setting names. Access for the group can be intended, for a proxy or a container.
pub(crate) fn read_given(setting: &'static str, path: &Path) -> Result<Vec<u8>, SecretFileError> {
    let (content, metadata) = read(path)?;
    match mode(&metadata) {
        mode if mode & OTHERS == 0 || is_mounted_for_a_container(path, &metadata) => Ok(content),
        mode => Err(ExposedError::GivenFile { setting, path: path.to_owned(), mode }.into()),
    }
}

/// Checks that nobody else can replace the files of the state directory, if there is one.
///
/// A group may write to a directory that another user, like root, has made for it: Kubernetes mounts volumes like this
/// (`fsGroup`).
pub fn check_directory(path: &Path) -> Result<(), ExposedError> {
    // Without a directory, an error says later why it can't be used.
    let Some(metadata) = fs::metadata(path).ok().filter(fs::Metadata::is_dir) else {
        return Ok(());
    };
    let mode = mode(&metadata);
    let forbidden = if is_own(&metadata) { 0o022 } else { 0o002 };
    if mode & forbidden == 0 {
        return Ok(());
    }
    Err(ExposedError::Directory { path: path.to_owned(), mode })
}

/// Whether root would write files to a directory of another user, who then could not read them.
///
/// A directory that root has made for a group is written to by members of that group: their files are their own.
pub(crate) fn is_of_another_user(directory: &Path) -> bool {
    #[cfg(unix)]
    {
        let Ok(metadata) = fs::metadata(directory) else { return false };
        rustix::process::geteuid().is_root() && !is_own(&metadata)
    }
    #[cfg(not(unix))]
    {
        let _ = directory;
        false
    }
}

fn read(path: &Path) -> io::Result<(Vec<u8>, fs::Metadata)> {
    let mut file = File::open(path)?;
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    Ok((content, file.metadata()?))
}

/// The permissions; on systems without them none that counts.
fn mode(metadata: &fs::Metadata) -> u32 {
    #[cfg(unix)]
    return std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    #[cfg(not(unix))]
    {
        let _ = metadata;
        0
    }
}

fn is_own(metadata: &fs::Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::uid(metadata) == rustix::process::geteuid().as_raw();
    #[cfg(not(unix))]
    {
        let _ = metadata;
        true
    }
}

/// Whether the file is on a read-only file system that is not that of the root. Kubernetes, Docker and Podman mount
/// secrets like this, often with mode 0444: only the container has it, and can't change its mode.
///
/// A read-only `/etc`, as systemd gives it to a service, is no such mount: it is that of the whole machine.
fn is_mounted_for_a_container(path: &Path, metadata: &fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let is_read_only = rustix::fs::statvfs(path)
            .is_ok_and(|mount| mount.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY));
        is_read_only && fs::metadata("/").is_ok_and(|root| root.dev() != metadata.dev())
    }
    #[cfg(not(unix))]
    {
        let _ = (path, metadata);
        false
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn change_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn own_secret_is_for_the_servers_user_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        fs::write(&path, "a secret").unwrap();
        for (private, mode) in [
            (true, 0o600),
            (true, 0o400),
            (false, 0o640),
            (false, 0o604),
            (false, 0o620),
            (false, 0o602),
            (false, 0o601),
            (false, 0o644),
        ] {
            change_mode(&path, mode);
            match read_own(&path) {
                Ok(content) => assert!(private && content == b"a secret", "{mode:o}"),
                Err(error) => {
                    let sentence = error.to_string();
                    assert!(!private, "{mode:o}: {sentence}");
                    let advice = format!("(mode {mode:04o}): run `chmod 600 {}`", path.display());
                    assert!(sentence.contains(&advice), "{sentence}");
                }
            }
        }
        let missing = read_own(&directory.path().join("missing"));
        assert!(matches!(missing, Err(SecretFileError::Unreadable(_))));
    }

    #[test]
    fn given_secret_may_be_for_a_group() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        fs::write(&path, "a secret").unwrap();
        for (private, mode) in
            [(true, 0o600), (true, 0o440), (true, 0o660), (false, 0o444), (false, 0o602)]
        {
            change_mode(&path, mode);
            let read = read_given("person-key-file", &path);
            assert_eq!(read.is_ok(), private, "{mode:o}");
            let sentence = read.err().map(|error| error.to_string()).unwrap_or_default();
            assert_eq!(sentence.contains("which is set as person-key-file"), !private);
        }
    }

    #[test]
    fn files_of_the_machine_are_not_mounted_for_a_container() {
        let of = |path: &str| {
            let path = Path::new(path);
            fs::metadata(path).is_ok_and(|found| is_mounted_for_a_container(path, &found))
        };
        assert!(!of("/") && !of("/etc/hostname/missing"));
        let directory = tempfile::tempdir().unwrap();
        assert!(!of(directory.path().to_str().unwrap()));
    }

    #[test]
    fn state_directory_is_written_to_by_the_servers_user_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        assert_eq!(check_directory(&path), Ok(()));
        fs::create_dir(&path).unwrap();
        for (private, mode) in
            [(true, 0o700), (true, 0o755), (false, 0o770), (false, 0o702), (false, 0o1777)]
        {
            change_mode(&path, mode);
            let checked = check_directory(&path);
            assert_eq!(checked.is_ok(), private, "{mode:o}");
            let sentence = checked.err().map(|error| error.to_string()).unwrap_or_default();
            assert_eq!(sentence.contains("chmod 700"), !private, "{sentence}");
        }
    }
}
