//! What of the measurements is a figure, and what a violation.

use super::{Measured, phases::PhaseNames, stranger::Latencies};
use crate::{
    measure::{
        histogram::Histogram,
        report::{Figures, figure},
    },
    oracle::violations::Violations,
    scenario::StrangerBound,
};

/// Addresses that are greedy at the same time, at most.
const MOST_ADDRESSES: u64 = 3;

/// What was measured in one phase.
#[derive(Debug)]
pub(super) struct PhaseResult {
    pub(super) names: PhaseNames,
    pub(super) latencies: Latencies,
    /// What the greedy clients got, and what they did not.
    pub(super) answers: u64,
    pub(super) rejections: u64,
    /// The server's use of its core.
    pub(super) cpu: Option<f64>,
}

/// The names of the figures without greedy clients.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    page_p99: &'static str,
    lobby_p99: &'static str,
    join_p99: &'static str,
    samples: &'static str,
}

pub(super) const USUAL: Names = Names {
    page_p99: "page_ms_p99_undisturbed",
    lobby_p99: "lobby_ms_p99_undisturbed",
    join_p99: "join_ms_p99_undisturbed",
    samples: "samples_undisturbed",
};

pub(super) const FEW_FILES: Names = Names {
    page_p99: "page_ms_p99_undisturbed_few_files",
    lobby_p99: "lobby_ms_p99_undisturbed_few_files",
    join_p99: "join_ms_p99_undisturbed_few_files",
    samples: "samples_undisturbed_few_files",
};

/// Judges what a stranger has met.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    /// None where latencies are not judged.
    pub(super) bound: Option<StrangerBound>,
}

impl Verdict {
    /// Adds the figures of one server, and what is wrong with them.
    pub(super) fn add(
        self,
        measured: &Measured,
        figures: &mut Figures,
        violations: &mut Violations,
    ) {
        let Measured { undisturbed, phases, memory, names } = measured;
        for (name, latency) in [
            (names.page_p99, &undisturbed.page),
            (names.lobby_p99, &undisturbed.lobby),
            (names.join_p99, &undisturbed.join),
        ] {
            figures.extend(p99(latency).map(|milliseconds| (name, milliseconds)));
        }
        figures.insert(names.samples, figure(undisturbed.samples()));
        add_refusals("nothing else", undisturbed, violations);
        for phase in phases {
            self.add_phase(undisturbed, phase, figures, violations);
        }
        let Some((peak, bound)) = memory else { return };
        let most = MOST_ADDRESSES * bound.of_one_address;
        for (name, bytes) in [
            ("process_growth_mib", peak.of_process()),
            ("kernel_growth_mib", peak.of_kernel()),
            ("memory_bound_mib", most),
        ] {
            figures
                .entry(name)
                .and_modify(|known| *known = known.max(mebibytes(bytes)))
                .or_insert(mebibytes(bytes));
        }
        if peak.of_process() + peak.of_kernel() > most {
            violations.add(|| {
                format!(
                    "the server and the system took {} MiB more, and {} were printed for three addresses",
                    mebibytes(peak.of_process() + peak.of_kernel()),
                    mebibytes(most)
                )
            });
        }
    }

    fn add_phase(
        self,
        undisturbed: &Latencies,
        phase: &PhaseResult,
        figures: &mut Figures,
        violations: &mut Violations,
    ) {
        let PhaseResult { names, latencies, answers, rejections, cpu } = phase;
        for (name, latency) in [
            (names.page_p99, &latencies.page),
            (names.lobby_p99, &latencies.lobby),
            (names.join_p99, &latencies.join),
        ] {
            figures.extend(p99(latency).map(|milliseconds| (name, milliseconds)));
        }
        figures.insert(names.samples, figure(latencies.samples()));
        figures.insert(names.answers, figure(*answers));
        figures.insert(names.rejections, figure(*rejections));
        figures.extend(cpu.map(|share| (names.cpu, share)));
        add_refusals(names.phase, latencies, violations);
        if *answers == 0 && *rejections == 0 {
            violations.add(|| format!("{}: the greedy clients did nothing", names.phase));
        }
        let Some(bound) = self.bound else { return };
        for (what, latency, usual) in [
            ("page", &latencies.page, &undisturbed.page),
            ("join", &latencies.join, &undisturbed.join),
        ] {
            let (Some(found), Some(usual)) = (p99(latency), p99(usual)) else {
                violations.add(|| format!("{}: no {what} was measured", names.phase));
                continue;
            };
            let most = (bound.ratio * usual).min(bound.most.as_secs_f64() * 1e3);
            if found > most {
                violations.add(|| {
                    format!(
                        "{}: p99 of a stranger's {what} is {found:.1} ms, and may be {most:.1} ms",
                        names.phase
                    )
                });
            }
        }
    }
}

/// Nothing of a stranger's is refused, and the lobby always opens.
fn add_refusals(phase: &str, latencies: &Latencies, violations: &mut Violations) {
    for refusal in &latencies.refusals {
        violations.add(|| format!("beside {phase} a stranger was refused: {refusal}"));
    }
}

/// In milliseconds.
fn p99(latency: &Histogram) -> Option<f64> {
    latency.quantile(0.99).map(|latency| latency.as_secs_f64() * 1e3)
}

fn mebibytes(bytes: u64) -> f64 {
    figure(bytes) / 1024.0 / 1024.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::scenario::greedy::phases::MIXED;

    fn latencies(milliseconds: u64) -> Latencies {
        let mut latencies = Latencies::default();
        let Latencies { page, lobby, join, .. } = &mut latencies;
        for latency in [page, lobby, join] {
            latency.record(Duration::from_millis(milliseconds));
        }
        latencies
    }

    fn judged(undisturbed: u64, beside: Latencies) -> Violations {
        let phase = PhaseResult {
            names: MIXED.names,
            latencies: beside,
            answers: 1,
            rejections: 0,
            cpu: None,
        };
        let undisturbed = latencies(undisturbed);
        let measured = Measured { undisturbed, phases: vec![phase], memory: None, names: USUAL };
        let bound = StrangerBound { ratio: 3.0, most: Duration::from_millis(200) };
        let (mut figures, mut violations) = (Figures::new(), Violations::default());
        Verdict { bound: Some(bound) }.add(&measured, &mut figures, &mut violations);
        violations
    }

    #[test]
    fn stranger_may_wait_three_times_as_long_and_never_200_ms() {
        assert_eq!(judged(4, latencies(11)).count, 0);
        let violations = judged(4, latencies(13));
        assert_eq!(violations.count, 2, "page and join");
        assert!(violations.first.unwrap().contains("three_addresses: p99 of a stranger's page"));
        assert_eq!(judged(100, latencies(199)).count, 0);
        assert_eq!(judged(100, latencies(210)).count, 2);
    }

    #[test]
    fn refusal_is_a_violation() {
        let mut refused = latencies(4);
        refused.refusals.push("/ was answered with 503".to_owned());
        let violations = judged(4, refused);
        assert_eq!(violations.count, 1);
        assert!(violations.first.unwrap().ends_with("refused: / was answered with 503"));
    }

    #[test]
    fn phase_without_a_join_is_a_violation() {
        let mut latencies = latencies(4);
        latencies.join = Histogram::default();
        let phase = judged(4, latencies);
        assert!(phase.first.unwrap().contains("no join was measured"));
    }
}
