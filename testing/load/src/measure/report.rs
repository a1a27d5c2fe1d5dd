//! The report of a run: figures by name, medians of rounds, a table.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use serde::Serialize;

use crate::{
    measure::{histogram::Histogram, traffic::Traffic},
    oracle::violations::Violations,
};

/// Figures by name; the name contains the unit.
pub type Figures = BTreeMap<&'static str, f64>;

/// The result of one run of a scenario, or the medians of several.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The name of the scenario.
    pub scenario: String,
    /// The number of clients.
    pub clients: u32,
    /// The number of the round; `None` for medians.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<u32>,
    /// Whether there were no violations.
    pub lists_right: bool,
    /// The number of violations.
    pub violation_count: usize,
    /// A description of the first violation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_violation: Option<String>,
    /// The measured figures.
    #[serde(flatten)]
    pub figures: Figures,
}

impl Report {
    /// The report of one run.
    pub fn new(
        scenario: impl Into<String>,
        clients: u32,
        violations: &Violations,
        figures: Figures,
    ) -> Self {
        Self {
            scenario: scenario.into(),
            clients,
            round: None,
            lists_right: violations.count == 0,
            violation_count: violations.count,
            first_violation: violations.first.clone(),
            figures,
        }
    }

    /// Adds the ratios to the same on one server.
    #[must_use]
    pub fn compared_with(mut self, one: &Self) -> Self {
        for (name, ratio) in [
            ("time_s", "time_to_one_server"),
            ("server_cpu_s", "cpu_to_one_server"),
            ("latency_ms_p50", "p50_to_one_server"),
            ("latency_ms_p99", "p99_to_one_server"),
            ("kib_per_connection", "memory_to_one_server"),
        ] {
            if let (Some(ours), Some(theirs)) = (self.figures.get(name), one.figures.get(name)) {
                let ratio_of_both = ours / theirs;
                self.figures.insert(ratio, ratio_of_both);
            }
        }
        for (name, difference) in
            [("latency_ms_p50", "p50_ms_above_one"), ("latency_ms_p99", "p99_ms_above_one")]
        {
            if let (Some(ours), Some(theirs)) = (self.figures.get(name), one.figures.get(name)) {
                let difference_of_both = ours - theirs;
                self.figures.insert(difference, difference_of_both);
            }
        }
        self
    }

    /// Adds the ratios to the same on a peer.
    #[must_use]
    pub fn against(mut self, peer: &Self) -> Self {
        for (name, ratio) in [
            ("time_s", "time_to_peer"),
            ("cpu_us_per_fact", "cpu_per_fact_to_peer"),
            ("latency_ms_p50", "p50_to_peer"),
            ("latency_ms_p99", "p99_to_peer"),
            ("kib_per_connection", "memory_to_peer"),
        ] {
            if let (Some(ours), Some(theirs)) = (self.figures.get(name), peer.figures.get(name)) {
                let ratio_of_both = ours / theirs;
                self.figures.insert(ratio, ratio_of_both);
            }
        }
        self
    }

    /// The medians of several runs of a scenario; violations are added up.
    pub fn median(runs: &[&Self]) -> Option<Self> {
        let first = *runs.first()?;
        let mut values: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
        for (name, value) in runs.iter().flat_map(|run| &run.figures) {
            values.entry(name).or_default().push(*value);
        }
        let figures = values.into_iter().map(|(name, values)| (name, median(values))).collect();
        let violation_count = runs.iter().map(|run| run.violation_count).sum();
        Some(Self {
            round: None,
            lists_right: runs.iter().all(|run| run.lists_right),
            violation_count,
            first_violation: runs.iter().find_map(|run| run.first_violation.clone()),
            figures,
            ..first.clone()
        })
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}

/// A count as a figure.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "no count here comes near 2^52"
)]
pub fn figure(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}

/// Adds the figures of the traffic, and of the server's CPU time for it.
pub fn add_traffic(figures: &mut Figures, traffic: &Traffic, cpu: Option<Duration>) {
    let mut put = |name, value: f64| {
        if value.is_finite() {
            figures.insert(name, value);
        }
    };
    // In a join storm most rows arrive in lists, so they count as facts too.
    let facts = figure(traffic.facts + traffic.list_rows);
    put("frames", figure(traffic.frames));
    put("facts", facts);
    put("facts_per_frame", facts / figure(traffic.frames));
    put("bytes_per_frame", figure(traffic.bytes) / figure(traffic.frames));
    put("bytes_per_fact", figure(traffic.fact_bytes) / figure(traffic.facts));
    put("bytes_per_list_row_without_name", figure(traffic.list_bytes) / figure(traffic.list_rows));
    if let Some(cpu) = cpu {
        put("server_cpu_s", cpu.as_secs_f64());
        put("facts_per_cpu_s", facts / cpu.as_secs_f64());
        put("cpu_us_per_frame", cpu.as_secs_f64() * 1e6 / figure(traffic.frames));
        put("cpu_us_per_fact", cpu.as_secs_f64() * 1e6 / facts);
    }
    add_latency(figures, &traffic.latency, ["latency_ms_p50", "latency_ms_p99", "latency_ms_max"]);
}

/// Adds the latency under these names for the median, the 99th percentile and the maximum.
pub fn add_latency(figures: &mut Figures, latency: &Histogram, names: [&'static str; 3]) {
    let found = [latency.quantile(0.5), latency.quantile(0.99), latency.max()];
    for (name, duration) in names.into_iter().zip(found) {
        if let Some(duration) = duration {
            figures.insert(name, duration.as_secs_f64() * 1e3);
        }
    }
}

/// The columns of the table: heading, name of the figure, decimals.
const COLUMNS: [(&str, &str, usize); 55] = [
    ("time s", "time_s", 3),
    ("cpu s", "server_cpu_s", 3),
    ("facts/cpu s", "facts_per_cpu_s", 0),
    ("frames", "frames", 0),
    ("facts/frame", "facts_per_frame", 1),
    ("us/frame", "cpu_us_per_frame", 2),
    ("x baseline", "cpu_per_frame_to_baseline", 2),
    ("us/fact", "cpu_us_per_fact", 3),
    ("x baseline", "cpu_per_fact_to_baseline", 2),
    ("B/fact", "bytes_per_fact", 1),
    ("B/row-name", "bytes_per_list_row_without_name", 1),
    ("KiB/conn", "kib_per_connection", 2),
    ("peak MiB", "peak_mib", 1),
    ("p50 ms", "latency_ms_p50", 1),
    ("p99 ms", "latency_ms_p99", 1),
    ("max ms", "latency_ms_max", 1),
    ("p99 without", "latency_ms_p99_without", 1),
    ("x without", "p99_to_without", 2),
    ("KiB/slow", "kib_per_slow_client", 1),
    ("slow dropped", "slow_clients_dropped", 0),
    ("seen", "changes_seen", 0),
    ("away ms", "longest_absence_ms", 0),
    ("overflows", "listen_overflows", 0),
    ("refused", "joins_refused", 0),
    ("MiB last", "mib_after_last_round", 1),
    ("x first", "last_round_to_first", 2),
    ("time x peer", "time_to_peer", 2),
    ("us/fact x peer", "cpu_per_fact_to_peer", 2),
    ("p50 x peer", "p50_to_peer", 2),
    ("p99 x peer", "p99_to_peer", 2),
    ("KiB x peer", "memory_to_peer", 2),
    ("time x one", "time_to_one_server", 2),
    ("cpu x one", "cpu_to_one_server", 2),
    ("p50 x one", "p50_to_one_server", 2),
    ("p99 x one", "p99_to_one_server", 2),
    ("p50 ms above one", "p50_ms_above_one", 2),
    ("p99 ms above one", "p99_ms_above_one", 2),
    ("KiB x one", "memory_to_one_server", 2),
    ("engine us/command", "engine_us_per_command", 2),
    ("median", "engine_us_median", 2),
    ("commands/script", "commands_per_script", 1),
    ("engine B/person", "engine_bytes_per_person", 0),
    ("dimmed s", "dimmed_s", 2),
    ("equal s", "equal_s", 2),
    ("back s", "back_s", 2),
    ("ServerLeft", "server_left_entries", 0),
    ("as of s", "as_of_s", 2),
    ("on all s", "as_of_on_all_s", 2),
    ("right s", "right_s", 2),
    ("fresh s", "fresh_s", 2),
    ("new_user", "new_user_seen", 0),
    ("disconnect_user", "disconnect_user_seen", 0),
    ("user_changed", "user_changed_seen", 0),
    ("list rows", "list_rows_seen", 0),
    ("restart s", "restart_s", 2),
];

/// The reports as a table.
pub fn table(reports: &[Report]) -> String {
    let mut rows = vec![vec!["scenario".to_owned(), "clients".to_owned(), "lists".to_owned()]];
    rows[0].extend(COLUMNS.iter().map(|(heading, ..)| (*heading).to_owned()));
    for report in reports {
        let lists = if report.lists_right {
            "right".to_owned()
        } else {
            format!("{} WRONG", report.violation_count)
        };
        let mut row = vec![report.scenario.clone(), report.clients.to_string(), lists];
        row.extend(COLUMNS.iter().map(|(_, name, digits)| {
            let value = report.figures.get(name);
            value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
        }));
        rows.push(row);
    }
    // Empty columns are left out.
    let columns: Vec<usize> = (0..rows[0].len())
        .filter(|column| rows[1..].iter().any(|row| row[*column] != "-"))
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let widths: Vec<usize> = columns.iter().map(|column| width(*column)).collect();
    let mut table = String::new();
    for row in &rows {
        for (place, (column, width)) in columns.iter().zip(&widths).enumerate() {
            let cell = &row[*column];
            let gap = if place == 0 { "" } else { "  " };
            // Writing to a string can't fail.
            let _ = if place == 0 {
                write!(table, "{gap}{cell:<width$}")
            } else {
                write!(table, "{gap}{cell:>width$}")
            };
        }
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(time: f64, violation_count: usize) -> Report {
        let first = (violation_count > 0).then(|| "one is missing".to_owned());
        Report::new(
            "storm",
            10,
            &Violations { count: violation_count, first },
            Figures::from([("time_s", time)]),
        )
    }

    #[test]
    fn median_is_taken_per_figure_and_violations_are_added() {
        let runs = [report(3.0, 0), report(1.0, 2), report(2.0, 0)];
        let median = Report::median(&runs.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(median.figures.get("time_s"), Some(&2.0));
        assert_eq!((median.lists_right, median.violation_count), (false, 2));
        assert_eq!(median.first_violation.as_deref(), Some("one is missing"));
        assert_eq!(Some(super::median(vec![4.0, 1.0])), Some(2.5));
        assert!(Report::median(&[]).is_none());
    }

    #[test]
    fn several_servers_are_compared_with_one() {
        let on = |p50: f64| {
            let mut report = report(p50 / 2.0, 0);
            report.figures.insert("latency_ms_p50", p50);
            report
        };
        let compared = on(3.0).compared_with(&on(2.0));
        let figure = |name| compared.figures.get(name).copied();
        assert_eq!(figure("p50_to_one_server"), Some(1.5));
        assert_eq!(figure("p50_ms_above_one"), Some(1.0));
        assert_eq!(figure("time_to_one_server"), Some(1.5));
        assert_eq!(figure("cpu_to_one_server"), None);
    }

    #[test]
    fn server_is_compared_with_a_peer() {
        let compared = report(1.0, 0).against(&report(4.0, 0));
        assert_eq!(compared.figures.get("time_to_peer"), Some(&0.25));
        assert_eq!(compared.figures.get("p99_to_peer"), None);
    }

    #[test]
    fn table_leaves_out_empty_columns() {
        let table = table(&[report(1.5, 0), report(2.0, 3)]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0], "scenario  clients    lists  time s");
        assert_eq!(lines[1], "storm          10    right   1.500");
        assert_eq!(lines[2], "storm          10  3 WRONG   2.000");
    }
}
