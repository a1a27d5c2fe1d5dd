//! Every setting there is.
//!
//! A new one is a field of [`Config`](super::Config), its default, and an entry here: the file, the
//! environment, the flags, `--help`, `--print-config`, `Leptos.toml` and docs/configuration.md follow.

use super::setting::{Group, Setting};
use crate::listener::tls;

/// All settings, in the order in which they are explained.
pub static GROUPS: [&Group; 8] =
    [&LISTENING, &PAGE, &ROOMS, &DOOR, &OPERATOR, &LOGS, &GOING_DOWN, &STATE];

static LISTENING: Group = Group {
    title: "Where it listens",
    settings: &[
        Setting::leptos(
            "site-addr",
            "Where to listen. 0.0.0.0 lets others on the network in; port 0 takes a free one.",
            |config| &mut config.leptos.site_addr,
        )
        .with_flag("addr"),
        Setting::presence(
            "public-url",
            "Where everybody finds the site, if a proxy stands in front of it. With https the cookie is for HTTPS alone.",
            |config| &mut config.public_url,
        )
        .default_is("wherever the server is asked"),
        Setting::presence(
            tls::CERTIFICATE_SETTING,
            "The certificate in PEM, with those it is signed by, if the server is to speak TLS itself. SIGHUP has it and its key read anew.",
            |config| &mut config.tls.certificate,
        ),
        Setting::presence(
            tls::KEY_SETTING,
            "The certificate's key in PEM, which only the server's user should be able to read.",
            |config| &mut config.tls.key,
        ),
    ],
};

static PAGE: Group = Group {
    title: "The page's files",
    settings: &[
        Setting::leptos(
            "site-root",
            "The folder with the page's files, from the working directory. `cargo xtask serve` sets it.",
            |config| &mut config.site_root,
        )
        .default_is("the files within the program, where it has some, else target/site"),
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

static DOOR: Group = Group {
    title: "Who may come in",
    settings: &[
        Setting::admission(
            "max-connections",
            "The most connections, at most as many as files may be open but for a few that the server needs; 0 is as many.",
            |config| &mut config.admission.max_connections,
        ),
        Setting::admission(
            "max-connections-per-address",
            "The most connections that are no socket yet from one address; all of an IPv6 /64 are one address; 0 is no limit.",
            |config| &mut config.admission.max_connections_per_address,
        ),
        Setting::admission(
            "max-sockets",
            "The most sockets and live feeds, at most nine tenths of the connections, so that pages get through; 0 is as many.",
            |config| &mut config.admission.max_sockets,
        ),
        Setting::admission(
            "max-sockets-per-address",
            "The most sockets and live feeds from one address; 0 is no limit.",
            |config| &mut config.admission.max_sockets_per_address,
        ),
        Setting::admission(
            "new-sockets-at-once-per-address",
            "How many sockets and live feeds one address may open at once; 0 is no limit.",
            |config| &mut config.admission.new_sockets_at_once_per_address,
        ),
        Setting::admission(
            "new-sockets-per-second-per-address",
            "How many it may open each second after that; 0 is no limit.",
            |config| &mut config.admission.new_sockets_per_second_per_address,
        ),
        Setting::admission(
            "max-sockets-per-person",
            "The most sockets that one person may have open in all rooms together; 0 is no limit.",
            |config| &mut config.admission.max_sockets_per_person,
        ),
        Setting::admission(
            "max-sockets-per-room",
            "The most sockets and live feeds of one room, listed or only looking; 0 is no limit.",
            |config| &mut config.admission.max_sockets_per_room,
        ),
        Setting::admission("max-rooms", "The most rooms; 0 is no limit.", |config| {
            &mut config.admission.max_rooms
        }),
        Setting::admission(
            "frames-at-once",
            "How many frames a socket may send at once; 0 is no limit. The protocol promises 40.",
            |config| &mut config.admission.frames_at_once,
        ),
        Setting::admission(
            "frames-per-second",
            "How many it may send each second after that; 0 is no limit. The protocol promises 5.",
            |config| &mut config.admission.frames_per_second,
        ),
        Setting::admission(
            "max-frame-bytes",
            "The longest frame that a socket may send, in bytes; 0 is the most that is ever read, 16 MiB. The protocol promises 4096.",
            |config| &mut config.admission.max_frame_bytes,
        ),
        Setting::admission(
            "request-seconds",
            "How long a request may take to come in, in seconds; so long a connection may also be idle; 0 is no limit.",
            |config| &mut config.admission.request_seconds,
        ),
        Setting::admission(
            "write-seconds",
            "How long a client may take nothing of an answer or a live feed, in seconds; 0 is no limit. A socket has 5 seconds.",
            |config| &mut config.admission.write_seconds,
        ),
        Setting::admission(
            "first-frame-seconds",
            "How long a socket may be open without having said what it is for, in seconds; 0 is no limit.",
            |config| &mut config.admission.first_frame_seconds,
        ),
        Setting::admission(
            "trusted-proxies",
            "The proxies, as networks, whose X-Forwarded-For says where a request came from.",
            |config| &mut config.admission.trusted_proxies,
        ),
        Setting::admission(
            "allowed-origins",
            "Other sites whose pages may open sockets.",
            |config| &mut config.admission.allowed_origins,
        ),
        Setting::admission(
            "require-origin",
            "Whether sockets are for browsers only, which always say whose page it is.",
            |config| &mut config.admission.require_origin,
        ),
    ],
};

static OPERATOR: Group = Group {
    title: "For the operator",
    settings: &[Setting::presence(
        "operator-addr",
        "Where `/readyz` and `/metrics` are, and the operator's actions, which take the token in the state folder's `operator.token`. Keep it on loopback; off turns it off.",
        |config| &mut config.operator_address,
    )
    .default_is("127.0.0.1:3002, if that is free")],
};

static LOGS: Group = Group {
    title: "Logs",
    settings: &[
        Setting::presence(
            "log",
            "What is logged: error, warn, info, debug, trace or off, also for a part: warn,crate::websocket::connection=debug.",
            |config| &mut config.logs.filter,
        ),
        Setting::presence(
            "log-format",
            "How it is logged: text for people, json for programs, or auto, which is text on a terminal and json elsewhere.",
            |config| &mut config.logs.format,
        ),
    ],
};

static GOING_DOWN: Group = Group {
    title: "Going down",
    settings: &[
        Setting::presence(
            "drain-delay",
            "How long after the signal new visitors are still let in, while `/readyz` says already that the server goes down: the time that a load balancer takes to notice.",
            |config| &mut config.drain.delay,
        ),
        Setting::presence(
            "drain-spread",
            "Over how long the goodbyes of all sockets are spread at the most, so that those who come back do not come as one wave.",
            |config| &mut config.drain.longest_spread,
        ),
        Setting::presence(
            "drain-deadline",
            "How long sockets may take to say goodbye, and requests to end; after that the server ends without them.",
            |config| &mut config.drain.deadline,
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
