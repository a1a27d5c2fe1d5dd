//! Everyone comes back: all at once after their connections broke, or tab by tab after a reload.

use std::time::{Duration, Instant};

use app::presence::PresenceState;

use super::{Outcome, RunContext, event::Setup};
use crate::client::swarm::Opening;
use crate::error::LoadError;
use crate::measure::report::figure;
use crate::measure::system;
use crate::oracle::violations::Violations;

/// A going-away goodbye, as a page says it that is reloaded (RFC 6455, section 7.4.1).
const GOING_AWAY: u16 = 1001;

/// How many tabs are reloaded at the same moment.
const RELOADS_AT_ONCE: usize = 500;

/// One client in this many does not reload, and watches the others do it.
const CLIENTS_PER_OBSERVER: usize = 10;

/// How long a row is kept for a tab that said goodbye; the protocol promises it.
const CLOSE_GRACE: Duration = Duration::from_secs(2);

/// All connections are reset, and all clients come back in the same moment, with their cookie, their tab
/// and where their lists were.
pub(super) fn all_at_once(context: &RunContext) -> Result<Outcome, LoadError> {
    let mut setup = Setup::new(context)?;
    let clients = setup.connect_clients(context.clients(), Opening::Join)?;
    let overflows = system::listen_overflows();
    let mut completed = setup.run_event(|swarm| {
        for client in clients.clone() {
            swarm.drop_connection(client, PresenceState::Reconnecting);
        }
        let started_at = Instant::now();
        for client in clients.clone() {
            swarm.rejoin(client);
        }
        swarm.connect_all(clients, usize::MAX)?;
        Ok(started_at)
    })?;
    if let (Some(earlier), Some(now)) = (overflows, system::listen_overflows()) {
        completed.figures.insert("listen_overflows", figure(now.saturating_sub(earlier)));
    }
    Ok(completed.outcome("return"))
}

/// Tabs say goodbye as a page does that is reloaded, and are back at once: nobody may see a change.
pub(super) fn reload(context: &RunContext) -> Result<Outcome, LoadError> {
    let mut setup = Setup::new(context)?;
    let observers =
        setup.connect_clients(context.clients().div_ceil(CLIENTS_PER_OBSERVER), Opening::Join)?;
    let tabs = setup.connect_clients(context.clients() - observers.len(), Opening::Join)?;
    let mut completed = setup.run_event(|swarm| {
        let started_at = Instant::now();
        for first in tabs.clone().step_by(RELOADS_AT_ONCE) {
            let reloaded = first..tabs.end.min(first + RELOADS_AT_ONCE);
            for client in reloaded.clone() {
                swarm.close(client, GOING_AWAY);
                swarm.set_opening(client, Opening::Rejoin);
            }
            swarm.wait_until_closed(reloaded.clone(), context.timing.timeout)?;
            swarm.connect_all(reloaded, usize::MAX)?;
        }
        Ok(started_at)
    })?;
    // A row whose end was only put off would go now.
    completed.swarm.run_for(CLOSE_GRACE + context.timing.settle_time)?;
    let (seen, away) = (completed.swarm.traffic.facts, completed.swarm.longest_absence());
    completed.figures.insert("changes_seen", figure(seen));
    completed.figures.insert("longest_absence_ms", away.as_secs_f64() * 1e3);
    judge_reload(&mut completed.swarm.violations, seen, away);
    Ok(completed.outcome("reload"))
}

/// Judges a reload in which so many changes were seen, and a tab was away for so long at the most.
fn judge_reload(violations: &mut Violations, seen: u64, away: Duration) {
    if away > CLOSE_GRACE {
        // Then rows went and came, whatever the server; nothing that was seen is its fault.
        *violations = Violations::default();
        let (away, kept) = (away.as_secs_f64(), CLOSE_GRACE.as_secs());
        violations.add(|| {
            format!(
                "too slow to judge: a tab was away for {away:.1} s, and rows are kept for {kept} s"
            )
        });
    } else if seen > 0 {
        violations.add(|| format!("{seen} changes were seen, and nobody came or went"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reload_in_time_is_the_servers_matter() {
        let judged = |setup: Option<&str>, seen, millis| {
            let mut violations = Violations::default();
            if let Some(sentence) = setup {
                violations.add(|| sentence.to_owned());
            }
            judge_reload(&mut violations, seen, Duration::from_millis(millis));
            (violations.count, violations.first)
        };
        let says = |count, sentence: &str| (count, Some(sentence.to_owned()));
        assert_eq!(judged(None, 0, 2_000), (0, None));
        let seen = "3 changes were seen, and nobody came or went";
        assert_eq!(judged(None, 3, 2_000), says(1, seen));
        assert_eq!(judged(Some("Ana is missing"), 3, 2_000), says(2, "Ana is missing"));
        let slow = "too slow to judge: a tab was away for 2.1 s, and rows are kept for 2 s";
        assert_eq!(judged(None, 0, 2_100), says(1, slow));
        assert_eq!(judged(Some("Ana is missing"), 3, 2_100), says(1, slow));
    }
}
