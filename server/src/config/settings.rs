//! Every setting there is.
//!
//! A new one is a field of [`Config`](super::Config), its default, and an entry here: the file, the
//! environment, the flags, `--help`, `--print-config`, `Leptos.toml` and docs/configuration.md follow.

use super::setting::{Group, Setting};

/// All settings, in the order in which they are explained.
pub static GROUPS: [&Group; 9] =
    [&LISTENING, &PAGE, &ROOMS, &REACHED, &CROWD, &PATIENCE, &OPERATOR, &LOGS, &STATE];

static LISTENING: Group = Group {
    title: "Where it listens",
    settings: &[Setting::leptos(
        "site-addr",
        "Where to listen. 0.0.0.0 lets others on the network in; port 0 takes a free one.",
        |config| &mut config.leptos.site_addr,
    )
    .with_flag("addr")],
};

static PAGE: Group = Group {
    title: "The page's files",
    settings: &[
        Setting::leptos(
            "site-root",
            "The folder with the page's files, from the working directory. `cargo xtask serve` sets it.",
            |config| &mut config.leptos.site_root,
        ),
        Setting::leptos("site-pkg-dir", "The folder in it with the built files.", |config| {
            &mut config.leptos.site_pkg_dir
        }),
        Setting::leptos(
            "output-name",
            "The name of the page's script, WASM and style sheet. The build decides it.",
            |config| &mut config.leptos.output_name,
        ),
        Setting::leptos(
            "hash-files",
            "Whether these names have a hash of their content in them. The build decides it.",
            |config| &mut config.leptos.hash_files,
        ),
        Setting::leptos(
            "env",
            "In DEV the page connects to `cargo leptos watch` and reloads itself.",
            |config| &mut config.leptos.env,
        ),
        Setting::leptos("reload-port", "Where the page finds `cargo leptos watch`.", |config| {
            &mut config.leptos.reload_port
        }),
    ],
};

static ROOMS: Group = Group {
    title: "Rooms",
    settings: &[
        Setting::presence(
            "max-people-per-room",
            "The most people listed in a room at the same time.",
            |config| &mut config.room_limits.most_people,
        ),
        Setting::presence(
            "max-tabs-per-person",
            "The most sockets that one person may have open in a room.",
            |config| &mut config.room_limits.most_connections_per_person,
        ),
    ],
};

static REACHED: Group = Group {
    title: "How it is reached",
    settings: &[
        Setting::presence(
            "public-url",
            "Where everybody finds the site, if a proxy stands in front of it; with https, cookies are for HTTPS alone.",
            |config| &mut config.door.origins.public_url,
        )
        .default_is("wherever the server is asked"),
        Setting::presence(
            "trusted-proxies",
            "Whom to believe, in X-Forwarded-For, where a request came from: addresses, or networks like 10.0.0.0/8.",
            |config| &mut config.door.trusted_proxies,
        )
        .default_is("nobody"),
        Setting::presence(
            "allowed-origins",
            "Whose pages may open a socket besides the site's own.",
            |config| &mut config.door.origins.allowed,
        )
        .default_is("nobody's"),
        Setting::presence(
            "require-origin",
            "Whether clients that name no origin, which are no browsers, are refused their socket.",
            |config| &mut config.door.origins.without_origin,
        ),
    ],
};

static CROWD: Group = Group {
    title: "How many come in; 0 is no limit",
    settings: &[
        Setting::presence(
            "max-connections",
            "The most connections; never more than there may be open files.",
            |config| &mut config.door.most_connections,
        ),
        Setting::presence(
            "max-connections-per-address",
            "The most connections from one address that are no socket yet; all of an IPv6 /64 are one address.",
            |config| &mut config.door.most_connections_of_address,
        ),
        Setting::presence(
            "max-sockets",
            "The most sockets and live feeds; never more than nine tenths of what may be open.",
            |config| &mut config.door.most_sockets,
        ),
        Setting::presence(
            "max-sockets-per-address",
            "The most sockets and live feeds from one address.",
            |config| &mut config.door.most_sockets_of_address,
        ),
        Setting::presence(
            "new-sockets-at-once-per-address",
            "How many sockets and live feeds one address may open at once.",
            |config| &mut config.door.new_sockets_of_address.at_once,
        ),
        Setting::presence(
            "new-sockets-per-second-per-address",
            "How many it may open in each second after that.",
            |config| &mut config.door.new_sockets_of_address.each_second,
        ),
        Setting::presence(
            "max-sockets-per-room",
            "The most sockets and live feeds of a room, of those who only look too.",
            |config| &mut config.door.most_sockets_of_room,
        ),
        Setting::presence("max-rooms", "The most rooms.", |config| &mut config.door.most_rooms),
    ],
};

static PATIENCE: Group = Group {
    title: "How long a client may take; 0s is as long as it likes",
    settings: &[
        Setting::presence(
            "request-within",
            "How long a request may take to come in; so long a connection may also be idle.",
            |config| &mut config.door.patience.request_within,
        ),
        Setting::presence(
            "write-within",
            "How long a client may take none of what it is sent.",
            |config| &mut config.door.patience.write_within,
        ),
    ],
};

static OPERATOR: Group = Group {
    title: "For the operator",
    settings: &[Setting::presence(
        "operator-addr",
        "Where to listen to the operator, who proves who they are with the token in the state folder's `operator.token`; keep it on loopback.",
        |config| &mut config.operator_address,
    )
    .default_is("nowhere")],
};

static LOGS: Group = Group {
    title: "Logs",
    settings: &[
        Setting::presence(
            "log",
            "What is logged: error, warn, info, debug, trace or off, also for a part: warn,server::connection=debug.",
            |config| &mut config.logs.filter,
        ),
        Setting::presence(
            "log-format",
            "How it is logged: text for people, json for programs, or auto, which is text on a terminal and json elsewhere.",
            |config| &mut config.logs.format,
        ),
    ],
};

static STATE: Group = Group {
    title: "What outlives a restart",
    settings: &[
        Setting::presence(
            "state-dir",
            "The folder for what outlives a restart: the key that cookies are signed with, and the rooms (mode 0600). It is made if it is missing.",
            |config| &mut config.state_directory,
        )
        .default_is("$STATE_DIRECTORY, else $XDG_STATE_HOME/rollcall, else ~/.local/state/rollcall"),
        Setting::presence(
            "person-key-file",
            "The file with the key that cookies are signed with, 64 bytes, where it is kept elsewhere.",
            |config| &mut config.person_key_file,
        )
        .default_is("person.key in the state folder, made if it is missing"),
    ],
};

/// Each setting of every group.
pub fn all() -> impl Iterator<Item = &'static Setting> {
    GROUPS.iter().flat_map(|group| group.settings)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_settings_share_a_key_a_variable_or_a_flag() {
        let count = all().count();
        assert_eq!(all().map(Setting::key).collect::<BTreeSet<_>>().len(), count);
        assert_eq!(all().map(Setting::variable).collect::<BTreeSet<_>>().len(), count);
        let flags: Vec<_> = all().filter_map(Setting::flag).collect();
        assert_eq!(flags.iter().collect::<BTreeSet<_>>().len(), flags.len());
    }

    #[test]
    fn every_setting_is_named_and_explained_alike() {
        for setting in all() {
            let key = setting.key();
            let is_plain = |character: char| character.is_ascii_lowercase() || character == '-';
            assert!(key.chars().all(is_plain), "{key}");
            let is_a_sentence = setting.help().ends_with('.');
            assert!(is_a_sentence && !setting.help().contains('\n'), "{key}");
        }
    }
}
