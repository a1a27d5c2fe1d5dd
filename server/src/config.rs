//! The settings: `Leptos.toml`, then the environment, then flags; the later the stronger.

use std::{
    env, fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::Parser;
use leptos::config::{LeptosOptions, errors::LeptosConfigError, get_configuration};
use serde::Deserialize;

use crate::{
    door::{DoorConfig, DoorTable, Origin},
    presence::room::RoomLimits,
};

/// Rollcall: who is here, live.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "rollcall", version)]
pub struct Flags {
    /// Where to listen, as HOST:PORT; port 0 takes a free one [default: site-addr in Leptos.toml]
    #[arg(long, value_name = "HOST:PORT")]
    pub addr: Option<SocketAddr>,

    /// The settings' file [default: Leptos.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The folder with the page's script, WASM and style sheet [default: site-root in Leptos.toml]
    #[arg(long, value_name = "FOLDER")]
    pub site_root: Option<PathBuf>,

    /// The folder for what outlives a restart; made if it is missing
    #[arg(long, value_name = "FOLDER", env = "ROLLCALL_STATE_DIR")]
    pub state_dir: Option<PathBuf>,

    /// Where everybody finds the site, if a proxy stands in front of it
    #[arg(long, value_name = "HTTPS://HOST", env = "ROLLCALL_PUBLIC_URL")]
    pub public_url: Option<Origin>,

    /// Where to listen to the operator, as HOST:PORT; who asks there needs the token in the state folder [default: nowhere]
    #[arg(long, value_name = "HOST:PORT", env = "ROLLCALL_OPERATOR_ADDR")]
    pub operator_addr: Option<SocketAddr>,
}

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    /// Leptos's own settings; `site_addr` is where the server listens.
    pub leptos: LeptosOptions,
    /// The folder for what outlives a restart.
    pub state_directory: PathBuf,
    /// How many a room takes.
    pub room_limits: RoomLimits,
    /// Whether everybody comes over HTTPS.
    pub is_https: bool,
    /// Who may come in.
    pub door: DoorConfig,
    /// Where to listen to the operator; nowhere without it.
    pub operator_address: Option<SocketAddr>,
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFault {
    /// The file can't be read.
    #[error("{} can't be read: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file's Leptos part, or one of its variables in the environment, is wrong.
    #[error("The settings for Leptos are wrong: {0}")]
    Leptos(#[from] LeptosConfigError),
    /// The file's own part is wrong.
    #[error("{} is wrong: {source}", path.display())]
    Presence {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: toml::de::Error,
    },
    /// Hashed names are wanted, and the build that made the names is not there.
    #[error("hash-files is set, and {} is not there: build with `cargo xtask build`, or unset it.", path.display())]
    NoHashFile {
        /// The file that would hold the names.
        path: PathBuf,
    },
    /// Anybody could fetch the key.
    #[error("The state directory {} is within the site's folder, which everybody may read: name another with --state-dir.", state_directory.display())]
    StateIsServed {
        /// Which directory.
        state_directory: PathBuf,
    },
    /// There is no place for the state directory.
    #[error("There is no home folder to keep state in: name a folder with --state-dir.")]
    NoStateDirectory,
}

/// The file's table `[presence]`: Rollcall's own settings.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct PresenceTable {
    state_dir: Option<PathBuf>,
    max_people_per_room: usize,
    max_tabs_per_person: usize,
    public_url: Option<Origin>,
    operator_addr: Option<SocketAddr>,
}

impl Default for PresenceTable {
    fn default() -> Self {
        Self {
            state_dir: None,
            max_people_per_room: 20_000,
            max_tabs_per_person: 32,
            public_url: None,
            operator_addr: None,
        }
    }
}

impl Config {
    /// Reads the file and the environment; `flags` have the last word.
    ///
    /// Without a file everything has its default.
    pub fn load(flags: Flags) -> Result<Self, ConfigFault> {
        let is_named = flags.config.is_some();
        let path = flags.config.unwrap_or_else(|| PathBuf::from("Leptos.toml"));
        let text = match fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !is_named => None,
            Err(source) => return Err(ConfigFault::File { path, source }),
        };
        let SettingsFile { presence, door } = settings_file(&path, text.as_deref())?;
        let file = text.is_some().then(|| path.to_string_lossy().into_owned());
        let mut leptos = get_configuration(file.as_deref())?.leptos_options;
        // Leptos's own default is the working directory, which is nobody's business.
        if &*leptos.site_root == "." {
            leptos.site_root = "target/site".into();
        }
        if let Some(addr) = flags.addr {
            leptos.site_addr = addr;
        }
        if let Some(site_root) = flags.site_root {
            leptos.site_root = site_root.to_string_lossy().into();
        }
        if leptos.hash_files {
            check_hash_file(&leptos.hash_file)?;
        }
        let state_directory = match flags.state_dir.or(presence.state_dir) {
            Some(directory) => directory,
            None => default_state_directory(&|name| env::var_os(name).map(PathBuf::from))
                .ok_or(ConfigFault::NoStateDirectory)?,
        };
        if is_inside(&state_directory, Path::new(&*leptos.site_root)) {
            return Err(ConfigFault::StateIsServed { state_directory });
        }
        let room_limits = RoomLimits {
            most_people: presence.max_people_per_room,
            most_connections_per_person: presence.max_tabs_per_person,
        };
        let public_url = flags.public_url.or(presence.public_url);
        let is_https = public_url.as_ref().is_some_and(Origin::is_https);
        let mut door = DoorConfig::from(door);
        door.origins.public_url = public_url;
        let operator_address = flags.operator_addr.or(presence.operator_addr);
        Ok(Self { leptos, state_directory, room_limits, is_https, door, operator_address })
    }
}

/// What is Rollcall's own in the file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SettingsFile {
    presence: PresenceTable,
    door: DoorTable,
}

fn settings_file(path: &Path, text: Option<&str>) -> Result<SettingsFile, ConfigFault> {
    let parsed = text.map(toml::from_str).transpose();
    let file = parsed.map_err(|source| ConfigFault::Presence { path: path.to_owned(), source })?;
    Ok(file.unwrap_or_default())
}

/// Leptos reads the hashes beside the program at every request, and panics when they are not there.
fn check_hash_file(name: &str) -> Result<(), ConfigFault> {
    let program = env::current_exe().unwrap_or_default();
    let path = program.with_file_name(name);
    if path.is_file() { Ok(()) } else { Err(ConfigFault::NoHashFile { path }) }
}

/// Whether `inner` is `outer` or below it, as far as the names tell.
fn is_inside(inner: &Path, outer: &Path) -> bool {
    let absolute = |path: &Path| {
        path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_default()
    };
    absolute(inner).starts_with(absolute(outer))
}

/// What systemd gives a service, else the place that the XDG base directory specification names.
fn default_state_directory(variable: &dyn Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|path| path.is_absolute());
    set("STATE_DIRECTORY").or_else(|| {
        let base = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?;
        Some(base.join("rollcall"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, ConfigFault> {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("Leptos.toml");
        fs::write(&config, text).unwrap();
        let state_dir = Some(directory.path().join("state"));
        Config::load(Flags { config: Some(config), state_dir, ..Flags::default() })
    }

    const LEPTOS: &str = "[[workspace.metadata.leptos]]\noutput-name = \"rollcall\"\n";

    #[test]
    fn the_file_sets_and_a_flag_has_the_last_word() {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("Leptos.toml");
        let table = "[presence]\nmax-people-per-room = 7\nstate-dir = \"/var/lib/elsewhere\"\n";
        fs::write(&config, format!("{LEPTOS}site-addr = \"127.0.0.1:4001\"\n{table}")).unwrap();
        let flags = Flags { config: Some(config), ..Flags::default() };
        let loaded = Config::load(flags.clone()).unwrap();
        assert_eq!(loaded.leptos.site_addr.port(), 4001);
        assert_eq!(loaded.room_limits.most_people, 7);
        assert_eq!(loaded.state_directory, Path::new("/var/lib/elsewhere"));

        let addr = Some("127.0.0.1:0".parse().unwrap());
        let loaded = Config::load(Flags { addr, ..flags }).unwrap();
        assert_eq!(loaded.leptos.site_addr.port(), 0);
    }

    #[test]
    fn an_unknown_key_or_a_bad_value_is_an_error_that_names_it() {
        for (line, key) in [
            ("max-people-per-rom = 7", "max-people-per-rom"),
            ("max-tabs-per-person = \"many\"", "max-tabs-per-person"),
        ] {
            let fault = load(&format!("{LEPTOS}[presence]\n{line}\n")).unwrap_err().to_string();
            assert!(fault.contains(key) && fault.contains("line 4"), "{fault}");
        }
    }

    #[test]
    fn a_named_file_has_to_be_there() {
        let config = Some(PathBuf::from("/nowhere/Leptos.toml"));
        let fault = Config::load(Flags { config, ..Flags::default() }).unwrap_err();
        assert!(fault.to_string().contains("/nowhere/Leptos.toml"), "{fault}");
    }

    #[test]
    fn nothing_but_the_sites_files_is_served() {
        assert_eq!(&*load(LEPTOS).unwrap().leptos.site_root, "target/site");
        let directory = tempfile::tempdir().unwrap();
        let state_dir = Some(directory.path().join("site/state"));
        let site_root = Some(directory.path().join("site"));
        let fault = Config::load(Flags { site_root, state_dir, ..Flags::default() }).unwrap_err();
        assert!(matches!(fault, ConfigFault::StateIsServed { .. }), "{fault}");
    }

    #[test]
    fn state_has_a_documented_place() {
        let place = |set: &[(&str, &str)]| {
            default_state_directory(&|name| {
                set.iter().find(|(key, _)| *key == name).map(|(_, value)| PathBuf::from(value))
            })
        };
        assert_eq!(
            place(&[("HOME", "/home/a")]).unwrap(),
            Path::new("/home/a/.local/state/rollcall")
        );
        assert_eq!(
            place(&[("HOME", "/home/a"), ("XDG_STATE_HOME", "/s")]).unwrap(),
            Path::new("/s/rollcall")
        );
        assert_eq!(place(&[("STATE_DIRECTORY", "/var/lib/r")]).unwrap(), Path::new("/var/lib/r"));
        assert_eq!(place(&[("XDG_STATE_HOME", "relative")]), None);
    }

    /// cargo-leptos reads `Cargo.toml`, the deployed server `Leptos.toml`: what both say must be the same.
    #[test]
    fn both_files_say_the_same() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let table = |file: &str| -> toml::Table {
            toml::from_str(&fs::read_to_string(root.join(file)).unwrap()).unwrap()
        };
        let leptos = |file: &toml::Table| -> toml::Table {
            file["workspace"]["metadata"]["leptos"][0].as_table().unwrap().clone()
        };
        let built = leptos(&table("Cargo.toml"));
        let deployed = leptos(&table("Leptos.toml"));
        // In development nothing is hashed, and the page reloads itself.
        for (key, value) in
            deployed.iter().filter(|(key, _)| !["env", "hash-files"].contains(&key.as_str()))
        {
            assert_eq!(built.get(key), Some(value), "{key}");
        }
        let file = settings_file(
            Path::new("Leptos.toml"),
            Some(&fs::read_to_string(root.join("Leptos.toml")).unwrap()),
        );
        let (file, default) = (file.unwrap(), PresenceTable::default());
        assert_eq!(file.door, DoorTable::default());
        let written = file.presence;
        assert_eq!(written.max_people_per_room, default.max_people_per_room);
        assert_eq!(written.max_tabs_per_person, default.max_tabs_per_person);
    }
}
