//! The metrics in Prometheus' text format, version 0.0.4.

use std::fmt::{Display, Write};

use registry::hub::HubStats;
use registry::replication::handle::ClusterHandle;

use super::{Metrics, cluster, process};

/// The content type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Gauges, which are computed when the metrics are scraped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Now {
    /// Whether `/readyz` returns 200.
    pub is_ready: bool,
    /// Open sockets.
    pub sockets: usize,
    /// Open event streams.
    pub feeds: usize,
    /// Open rooms.
    pub rooms: usize,
    /// People listed, over all rooms.
    pub people: usize,
    /// Bytes of answers and frames that have not arrived yet.
    pub bytes_in_flight: usize,
}

/// All metrics as text; those of a cluster only where there is one.
pub fn exposition(
    metrics: &Metrics,
    hub: &HubStats,
    cluster: Option<&ClusterHandle>,
    now: Now,
) -> String {
    let mut text = Text(String::new());
    let version = env!("CARGO_PKG_VERSION");
    text.family("rollcall_build_info", "gauge", "The version of Rollcall.");
    text.sample("rollcall_build_info", Some(("version", &version)), 1_u8);
    text.gauge("rollcall_ready", "1 while /readyz returns 200.", u8::from(now.is_ready));
    text.gauge("rollcall_sockets", "Open WebSockets.", now.sockets);
    text.gauge("rollcall_event_streams", "Open event streams.", now.feeds);
    text.gauge("rollcall_rooms", "Open rooms.", now.rooms);
    text.gauge("rollcall_people", "People listed, over all rooms.", now.people);
    text.gauge(
        "rollcall_bytes_in_flight",
        "At most so many bytes are handed to the system or wait for it, and are not received yet.",
        now.bytes_in_flight,
    );
    text.gauge(
        "rollcall_webhook_events_waiting",
        "Events that receivers of webhooks have not got yet.",
        metrics.webhook_events_waiting.value(),
    );
    for (name, help, value) in metrics.plain_counters() {
        text.counter(name, help, value);
    }
    let counted_by_hub = [
        ("rollcall_changes_total", "Row changes broadcast.", hub.changes()),
        ("rollcall_broadcasts_total", "Room broadcasts.", hub.broadcasts()),
        ("rollcall_snapshots_total", "Full snapshots sent.", hub.snapshots()),
        ("rollcall_resumes_total", "Reconnects that needed no snapshot.", hub.resumes()),
    ];
    for (name, help, value) in counted_by_hub {
        text.counter(name, help, value);
    }
    let name = "rollcall_sockets_closed_total";
    text.family(name, "counter", "WebSockets closed, by close code; 1006 is a broken connection.");
    for (code, counter) in &metrics.sockets_closed {
        let code: &dyn Display = if *code == 0 { &"other" } else { code };
        text.sample(name, Some(("code", code)), counter.value());
    }
    let name = "rollcall_http_responses_total";
    text.family(name, "counter", "HTTP responses, by status class.");
    for (counter, class) in metrics.http_responses.iter().zip(["1xx", "2xx", "3xx", "4xx", "5xx"]) {
        text.sample(name, Some(("class", &class)), counter.value());
    }
    let name = "rollcall_rejections_total";
    text.family(
        name,
        "counter",
        "Connections, requests, WebSockets and event streams rejected, by limit.",
    );
    for (limit, counter) in &metrics.rejections {
        text.sample(name, Some(("limit", limit)), counter.value());
    }
    if let Some(handle) = cluster {
        cluster::write(&mut text, handle, now.rooms);
    }
    for (name, kind, help, value) in process::usage() {
        text.family(name, kind, help);
        text.sample(name, None, value);
    }
    text.0
}

/// The text so far.
pub(super) struct Text(String);

impl Text {
    pub(super) fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    pub(super) fn sample(
        &mut self,
        name: &str,
        label: Option<(&str, &dyn Display)>,
        value: impl Display,
    ) {
        let _ = match label {
            Some((key, label)) => writeln!(self.0, "{name}{{{key}=\"{label}\"}} {value}"),
            None => writeln!(self.0, "{name} {value}"),
        };
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help);
        self.sample(name, None, value);
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "counter", help);
        self.sample(name, None, value);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use app::presence::CloseCode;
    use axum::http::StatusCode;
    use registry::presence::{room::RoomLimits, server_id::ServerId};

    use super::*;

    /// Of a server in a cluster, so that all metrics are there.
    fn handle() -> ClusterHandle {
        let limits =
            RoomLimits { most_people: 1, most_connections_per_person: 1, keep_attendance: None };
        ClusterHandle::new(ServerId::try_from(1).unwrap(), limits).0
    }

    /// As Prometheus requires: each sample is below its family, and each family occurs once.
    #[test]
    fn the_text_is_valid_for_prometheus() {
        let text =
            exposition(&Metrics::new(), &HubStats::default(), Some(&handle()), Now::default());
        let mut families = BTreeSet::new();
        let mut family = ("", "");
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                family = rest.split_once(' ').unwrap();
                assert!(families.insert(family.0), "{line}");
                assert_eq!(family.0.ends_with("_total"), family.1 == "counter", "{line}");
            } else if let Some(rest) = line.strip_prefix("# HELP ") {
                assert!(rest.ends_with('.'), "{line}");
            } else {
                let (name, value) = line.rsplit_once(' ').unwrap();
                assert_eq!(name.split('{').next().unwrap(), family.0, "{line}");
                assert!(value.parse::<f64>().unwrap().is_finite(), "{line}");
            }
        }
        assert!(families.len() > 20 && text.ends_with('\n'));
    }

    #[test]
    fn every_metric_of_the_dashboard_exists() {
        let dashboard = include_str!("../../../../deploy/grafana-dashboard.json");
        let text =
            exposition(&Metrics::new(), &HubStats::default(), Some(&handle()), Now::default());
        let is_in_a_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let names: BTreeSet<_> = dashboard
            .split(|character| !is_in_a_name(character))
            .filter(|word| word.starts_with("rollcall_") || word.starts_with("process_"))
            .collect();
        assert!(names.len() >= 15, "{names:?}");
        for name in names {
            // The metrics of the process exist on Linux only.
            let is_exposed = text.contains(&format!("# TYPE {name} "));
            assert!(
                is_exposed || (name.starts_with("process_") && !cfg!(target_os = "linux")),
                "{name}"
            );
        }
    }

    #[test]
    fn counted_events_are_exposed() {
        let metrics = Metrics::new();
        metrics.frames_sent.add(3);
        metrics.socket_closed(CloseCode::Replaced);
        metrics.socket_closed_by_client();
        metrics.socket_broken();
        metrics.responded(StatusCode::NOT_FOUND);
        let text =
            exposition(&metrics, &HubStats::default(), None, Now { people: 7, ..Now::default() });
        for line in [
            "rollcall_frames_sent_total 3",
            "rollcall_sockets_closed_total{code=\"4409\"} 1",
            "rollcall_sockets_closed_total{code=\"1000\"} 1",
            "rollcall_sockets_closed_total{code=\"1006\"} 1",
            "rollcall_sockets_closed_total{code=\"other\"} 0",
            "rollcall_http_responses_total{class=\"4xx\"} 1",
            "rollcall_people 7",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
        }
    }
}
