//! All clients come back: at once after their connections broke, or in groups after a reload.

use std::time::{Duration, Instant};

use app::presence::PresenceState;

use super::{Outcome, RunContext, event::Setup};
use crate::{
    client::swarm::Opening,
    error::LoadError,
    measure::{report::figure, system},
    oracle::violations::Violations,
};

/// The close code of a page that is reloaded (RFC 6455, section 7.4.1).
const GOING_AWAY: u16 = 1001;

/// The number of tabs that are reloaded at the same time.
const RELOADS_AT_ONCE: usize = 500;

/// One of so many clients does not reload, and observes the others.
const CLIENTS_PER_OBSERVER: usize = 10;

/// How long a row outlives a close frame, according to the protocol.
const CLOSE_GRACE: Duration = Duration::from_secs(2);

/// All connections are reset, and all clients resume at once, with their cookie, their tab and the position
/// of their lists.
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

/// Tabs are closed as by a reload, and resume at once. No client may receive a change.
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
    // Delayed removals would happen now.
    completed.swarm.run_for(CLOSE_GRACE + context.timing.settle_time)?;
    let (seen, away) = (completed.swarm.traffic.facts, completed.swarm.longest_absence());
    completed.figures.insert("changes_seen", figure(seen));
    completed.figures.insert("longest_absence_ms", away.as_secs_f64() * 1e3);
    judge_reload(&mut completed.swarm.violations, seen, away);
    Ok(completed.outcome("reload"))
}

/// Checks a reload in which this many changes were received, with this longest absence of a tab.
fn judge_reload(violations: &mut Violations, seen: u64, away: Duration) {
    if away > CLOSE_GRACE {
        // Then the server had to remove rows, so it is not to blame for the changes.
        *violations = Violations::default();
        let (away, kept) = (away.as_secs_f64(), CLOSE_GRACE.as_secs());
        violations.add(|| {
            format!(
                "too slow to judge: a tab was away for {away:.1} s, and rows are kept for {kept} s"
            )
        });
    } else if seen > 0 {
        violations.add(|| format!("{seen} changes were received, although no one joined or left"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reload_is_judged_only_if_tabs_were_back_in_time() {
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
        let seen = "3 changes were received, although no one joined or left";
        assert_eq!(judged(None, 3, 2_000), says(1, seen));
        assert_eq!(judged(Some("Ana is missing"), 3, 2_000), says(2, "Ana is missing"));
        let slow = "too slow to judge: a tab was away for 2.1 s, and rows are kept for 2 s";
        assert_eq!(judged(None, 0, 2_100), says(1, slow));
        assert_eq!(judged(Some("Ana is missing"), 3, 2_100), says(1, slow));
    }
}
