//! The list of all settings.
//!
//! A new one needs a field of [`Config`](super::Config), its default, and an entry here. The file, the
//! environment, the flags, `--help`, `--print-config`, `Leptos.toml` and docs/configuration.md follow.

use super::setting::{Group, Setting};
use crate::listener::tls;

/// All settings, in the order of the documentation.
pub static GROUPS: [&Group; 10] =
    [&LISTENING, &SITE, &ROOMS, &LIMITS, &SOCKET_IO, &ADMIN, &LOGGING, &SHUTDOWN, &STATE, &CLUSTER];

static LISTENING: Group = Group {
    title: "Address and TLS",
    settings: &[
        Setting::leptos(
            "site-addr",
            "Address and port to listen on. 0.0.0.0 accepts connections from other machines; port 0 picks a free port. It has no effect if systemd passes a socket: then ListenStream in the socket's unit is the address.",
            |config| &mut config.leptos.site_addr,
        )
        .with_flag("addr"),
        Setting::presence(
            "public-url",
            "URL of the site as visitors see it, if it is behind a proxy; with a path if it is served below one, like https://example.org/rollcall. With https, the cookie is sent over HTTPS only, and without a path browsers are told to use HTTPS for the whole host (HSTS).",
            |config| &mut config.public_url,
        )
        .default_is("the host of each request"),
        Setting::presence(
            "host",
            "Further names by which browsers may ask for the site, like laptop.lan, without a port. Addresses, localhost, names without a dot or below .local, .home.arpa or .internal, this machine's own name and that of public-url are allowed anyway, and every name where this server speaks TLS itself; any other gets 421, as a stranger could let it lead here (DNS rebinding). It is valid for the operator's listener as well.",
            |config| &mut config.hosts,
        ),
        Setting::presence(
            tls::CERTIFICATE_SETTING,
            "PEM file with the certificate chain, to serve TLS without a proxy. SIGHUP reloads certificate and key.",
            |config| &mut config.tls.certificate,
        ),
        Setting::presence(
            tls::KEY_SETTING,
            "PEM file with the certificate's private key. Only the server's user should be able to read it.",
            |config| &mut config.tls.key,
        ),
    ],
};

static SITE: Group = Group {
    title: "Site files",
    settings: &[
        Setting::leptos(
            "site-root",
            "Directory with the page's files, relative to the working directory. `cargo xtask serve` sets it.",
            |config| &mut config.site_root,
        )
        .default_is("the files embedded in the program, if there are any, else target/site"),
        Setting::leptos("site-pkg-dir", "Subdirectory of site-root with the built files.", |config| {
            &mut config.leptos.site_pkg_dir
        }),
        Setting::leptos(
            "output-name",
            "Base name of the page's script, WASM and style sheet. It has to be that of the build.",
            |config| &mut config.leptos.output_name,
        ),
        Setting::leptos(
            "hash-files",
            "Which files are served where site-root has some with a hash of the content in their names, and some without.",
            |config| &mut config.leptos.hash_files,
        ),
        Setting::leptos(
            "env",
            "In DEV the page connects to `cargo leptos watch` and reloads after each build.",
            |config| &mut config.leptos.env,
        ),
        Setting::leptos("reload-port", "Port of `cargo leptos watch`.", |config| {
            &mut config.leptos.reload_port
        }),
    ],
};

static ROOMS: Group = Group {
    title: "Rooms",
    settings: &[
        Setting::presence(
            "max-people-per-room",
            "Maximum number of people listed in a room.",
            |config| &mut config.room_limits.most_people,
        ),
        Setting::presence(
            "max-tabs-per-person",
            "Maximum number of WebSockets that one person may have open in a room.",
            |config| &mut config.room_limits.most_connections_per_person,
        ),
        Setting::presence(
            "keep-attendance",
            "How long a room remembers who came and went, from 1m to 168h after each person last left; the page and /privacy say so, and `roll.csv?session` exports it. A room keeps at most 1 MiB of it, about 4,000 people, and all rooms of a server together 32 MiB besides who is listed right now: those who left first give way, and the files say how many. It has to be the same on all servers of a cluster.",
            |config| &mut config.keep_attendance,
        )
        .default_is("attendance is not kept"),
    ],
};

static LIMITS: Group = Group {
    title: "Limits",
    settings: &[
        Setting::limit(
            "max-connections",
            "Maximum number of connections. It is capped by the limit of open files, less a reserve, and at one for each 32 KiB of memory; 0 uses the whole cap.",
            |config| &mut config.admission.max_connections,
        ),
        Setting::limit(
            "max-connections-per-address",
            "Maximum number of HTTP connections per client address, not counting those upgraded to WebSocket; 0 is no limit. An address never has more than half of max-connections, WebSockets included, unless this is 0. For every limit per address, an IPv6 /56 is one address, of which one /64 may use three quarters.",
            |config| &mut config.admission.max_connections_per_address,
        ),
        Setting::limit(
            "max-sockets",
            "Maximum number of WebSockets and event streams. It is capped at nine tenths of max-connections, so that pages can still be served; 0 uses the whole cap.",
            |config| &mut config.admission.max_sockets,
        ),
        Setting::limit(
            "max-sockets-per-address",
            "Maximum number of WebSockets and event streams per client address, and at most half of max-sockets; 0 is no limit. Nobody new is listed where they and the rows of people without a socket are more than twice as many.",
            |config| &mut config.admission.max_sockets_per_address,
        ),
        Setting::limit(
            "socket-burst-per-address",
            "Number of WebSockets and event streams that one address may open at once; 0 is no limit.",
            |config| &mut config.admission.socket_burst_per_address,
        ),
        Setting::limit(
            "socket-rate-per-address",
            "Sustained rate of new WebSockets and event streams per address and second, after the burst; 0 is no limit.",
            |config| &mut config.admission.socket_rate_per_address,
        ),
        Setting::limit(
            "max-bytes-in-flight",
            "Maximum number of bytes that are sent and not received yet, over all connections; 0 is an eighth of the memory. When it is reached, addresses with more than 2 MB in flight are sent no more than they receive at once.",
            |config| &mut config.admission.max_bytes_in_flight,
        ),
        Setting::limit(
            "max-bytes-in-flight-per-address",
            "Maximum number of bytes that are sent to one client address and not received yet, and at most half of max-bytes-in-flight; 0 is no limit. When it is reached, the address is sent no more than it receives at once; a request of it waits up to 5 s, and then gets 429.",
            |config| &mut config.admission.max_bytes_in_flight_per_address,
        ),
        Setting::limit(
            "processor-burst-per-address",
            "Processor time that the answers to one address may take at once; 0 is no limit. Each request costs what the server works for it, and at least 50 µs; each MB that is sent costs another 10 ms. An address that has used up its time gets 429, and over TLS no new connection.",
            |config| &mut config.admission.processor_burst_per_address,
        ),
        Setting::limit(
            "processor-rate-per-address",
            "Processor time that the answers to one address may take after the burst, in percent of one core; 0 is no limit.",
            |config| &mut config.admission.processor_rate_per_address,
        ),
        Setting::limit(
            "max-sockets-per-person",
            "Maximum number of WebSockets that one person may have open in all rooms together; 0 is no limit.",
            |config| &mut config.admission.max_sockets_per_person,
        ),
        Setting::limit(
            "max-sockets-per-room",
            "Maximum number of WebSockets and event streams in one room, including those that only watch; 0 is no limit.",
            |config| &mut config.admission.max_sockets_per_room,
        ),
        Setting::limit(
            "max-rooms",
            "Maximum number of rooms, and at most one for each 32 KiB of memory; 0 is no limit besides that. When it is reached, a new room takes the place of the one that has been empty for the longest time. The lobby, and rooms in which somebody is, can always be opened.",
            |config| &mut config.admission.max_rooms,
        ),
        Setting::limit(
            "max-rooms-per-address",
            "Maximum number of rooms that only people of one client address keep open, or that such people were the last to leave; it is at most half of max-rooms; 0 is no limit besides that. When it is reached, the address's own oldest empty room gives way.",
            |config| &mut config.admission.max_rooms_per_address,
        ),
        Setting::limit(
            "max-room-bytes-per-second",
            "Maximum rate at which one room sends its changes to all readers together, in bytes per second; 0 is no limit. Above it changes are gathered for longer, up to 10 s; a room that was quiet may send twice as much at once.",
            |config| &mut config.admission.max_room_bytes_per_second,
        ),
        Setting::limit(
            "frame-burst",
            "Number of frames that a WebSocket may send at once; 0 is no limit. The protocol guarantees 40.",
            |config| &mut config.admission.frame_burst,
        ),
        Setting::limit(
            "frame-rate",
            "Sustained rate of frames per WebSocket and second, after the burst; 0 is no limit. The protocol guarantees 5.",
            |config| &mut config.admission.frame_rate,
        ),
        Setting::limit(
            "max-frame-bytes",
            "Maximum size of a frame that a WebSocket may send, in bytes; 0 is the server's own maximum of 16 MiB. The protocol guarantees 4096.",
            |config| &mut config.admission.max_frame_bytes,
        ),
        Setting::limit(
            "request-timeout",
            "Time for a request to arrive, and for a connection to be idle; 0 is no limit.",
            |config| &mut config.admission.request_timeout,
        ),
        Setting::limit(
            "write-timeout",
            "Time after which a client that reads nothing of a response or event stream is disconnected; 0 is no limit. For WebSockets it is always 5 seconds.",
            |config| &mut config.admission.write_timeout,
        ),
        Setting::limit(
            "first-frame-timeout",
            "Time for a WebSocket to join or watch the room after it was opened; 0 is no limit.",
            |config| &mut config.admission.first_frame_timeout,
        ),
        Setting::limit(
            "trusted-proxies",
            "Networks of the proxies whose X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host and Forwarded headers are trusted.",
            |config| &mut config.admission.trusted_proxies,
        ),
        Setting::limit(
            "allowed-origins",
            "Origins of other sites whose pages may open WebSockets, and read lists, exports and event streams.",
            |config| &mut config.admission.allowed_origins,
        ),
        Setting::limit(
            "require-origin",
            "Whether WebSockets without an Origin header are refused. Browsers always send one, other programs often do not.",
            |config| &mut config.admission.require_origin,
        ),
    ],
};

static SOCKET_IO: Group = Group {
    title: "Socket.IO",
    settings: &[
        Setting::presence(
            "socketio",
            "Whether clients of Socket.IO are served at `/socket.io/`. It costs nothing while there are none.",
            |config| &mut config.socketio.enabled,
        ),
        Setting::presence(
            "socketio-polling",
            "Whether these clients may use HTTP long-polling, with which they begin by default. On several servers it needs a balancer that leads all requests of a client to one of them; set it to false where there is none.",
            |config| &mut config.socketio.polling,
        ),
    ],
};

static ADMIN: Group = Group {
    title: "Operator's listener",
    settings: &[Setting::presence(
        "operator-addr",
        "Address of the operator's listener: `/readyz`, `/metrics`, and the actions that need the token in the state directory's `operator.token`. Keep it on loopback; off disables it.",
        |config| &mut config.operator_address,
    )
    .default_is("127.0.0.1:3002, if it is free")],
};

static LOGGING: Group = Group {
    title: "Logging",
    settings: &[
        Setting::presence(
            "log",
            "Log level: error, warn, info, debug, trace or off, also per module: warn,server::websocket::connection=debug.",
            |config| &mut config.logs.filter,
        ),
        Setting::presence(
            "log-format",
            "Log format: text, json, or auto, which is text on a terminal and json elsewhere.",
            |config| &mut config.logs.format,
        ),
    ],
};

static SHUTDOWN: Group = Group {
    title: "Shutdown",
    settings: &[
        Setting::presence(
            "drain-delay",
            "Time after SIGTERM during which `/readyz` returns 503 and new connections are still accepted, for a load balancer to notice.",
            |config| &mut config.drain.delay,
        ),
        Setting::presence(
            "drain-spread",
            "Maximum time over which close frames are spread, to avoid a reconnect storm.",
            |config| &mut config.drain.longest_spread,
        ),
        Setting::presence(
            "drain-deadline",
            "Maximum time for WebSockets to close and requests to finish, before the server exits anyway.",
            |config| &mut config.drain.deadline,
        ),
    ],
};

static STATE: Group = Group {
    title: "State",
    settings: &[
        Setting::presence(
            "state-dir",
            "Directory for what survives a restart: the key that signs cookies, the operator's token and the rooms (mode 0600). It is created if it does not exist.",
            |config| &mut config.state_directory,
        )
        .default_is("$STATE_DIRECTORY, else $XDG_STATE_HOME/rollcall, else ~/.local/state/rollcall"),
        Setting::presence(
            "person-key-file",
            "File with the 64-byte key that signs cookies, if it is not in the state directory.",
            |config| &mut config.person_key_file,
        )
        .default_is("person.key in the state directory, created if it does not exist"),
    ],
};

static CLUSTER: Group = Group {
    title: "Several servers",
    settings: &[
        Setting::presence(
            "cluster-engine",
            "Address of the Valkey or Redis that connects several servers: redis://HOST:PORT/DB, or rediss:// for TLS. With Sentinel, the addresses of the Sentinels. Without it this server is alone, and keeps the rooms itself.",
            |config| &mut config.cluster.engine,
        ),
        Setting::presence(
            "cluster-sentinel",
            "Name by which the Sentinels know the engine; then cluster-engine has the Sentinels' addresses.",
            |config| &mut config.cluster.sentinel,
        ),
        Setting::presence("cluster-user", "User of the engine's access control list.", |config| {
            &mut config.cluster.user
        }),
        Setting::presence(
            "cluster-password-file",
            "File with the engine's password in its first line.",
            |config| &mut config.cluster.password_file,
        ),
        Setting::presence(
            "cluster-sentinel-password-file",
            "File with the Sentinels' password in its first line.",
            |config| &mut config.cluster.sentinel_password_file,
        ),
        Setting::presence(
            "cluster-ca",
            "PEM file with the certificates of the authority that signed the engine's certificate.",
            |config| &mut config.cluster.ca,
        )
        .default_is("the authorities that the system trusts"),
        Setting::presence(
            "cluster-certificate",
            "PEM file with this server's certificate, if the engine asks for one.",
            |config| &mut config.cluster.certificate,
        ),
        Setting::presence(
            "cluster-key",
            "PEM file with the private key of cluster-certificate.",
            |config| &mut config.cluster.key,
        ),
        Setting::presence(
            "cluster-prefix",
            "What the names of all keys in the engine begin with. Two clusters with different prefixes can share an engine.",
            |config| &mut config.cluster.prefix,
        ),
        Setting::presence(
            "cluster-wait",
            "Time for which a start waits for an engine that can't be reached, before it fails.",
            |config| &mut config.cluster.wait,
        ),
        Setting::presence(
            "cluster-lease",
            "Time after which a server that the engine does not hear counts as dead, from 1s to 30s. It has to be the same on all servers.",
            |config| &mut config.cluster.lease,
        ),
        Setting::presence(
            "cluster-ready-without-engine",
            "Whether `/readyz` returns 200 while the engine is silent. Set it where a balancer drops all servers that are not ready, as Kubernetes does: else nobody could read the lists.",
            |config| &mut config.cluster.ready_without_engine,
        ),
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
    fn every_key_is_lower_case_and_every_help_is_one_line() {
        for setting in all() {
            let key = setting.key();
            let is_plain = |character: char| character.is_ascii_lowercase() || character == '-';
            assert!(key.chars().all(is_plain), "{key}");
            let is_a_sentence = setting.help().ends_with('.');
            assert!(is_a_sentence && !setting.help().contains('\n'), "{key}");
        }
    }
}
