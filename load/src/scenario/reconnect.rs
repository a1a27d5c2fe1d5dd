//! Everyone comes back: all at once after their connections broke, or tab by tab after a reload.

use std::time::{Duration, Instant};

use app::presence::PresenceState;

use super::{Outcome, Stage, event::Before};
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
const OBSERVER_IN: usize = 10;

/// How long a row is kept for a tab that said goodbye; the protocol promises it.
const ROW_IS_KEPT: Duration = Duration::from_secs(2);

/// All connections are reset, and all clients come back in the same moment, with their cookie, their tab
/// and where their lists were.
pub(super) fn all_at_once(stage: &Stage) -> Result<Outcome, LoadError> {
    let mut before = Before::new(stage)?;
    let clients = before.gather(stage.clients(), Opening::Join)?;
    let overflows = system::listen_overflows();
    let mut after = before.happens(|swarm| {
        for client in clients.clone() {
            swarm.break_off(client, PresenceState::Reconnecting);
        }
        let begun = Instant::now();
        for client in clients.clone() {
            swarm.rejoin(client);
        }
        swarm.connect_all(clients, usize::MAX)?;
        Ok(begun)
    })?;
    if let (Some(earlier), Some(now)) = (overflows, system::listen_overflows()) {
        after.figures.insert("listen_overflows", figure(now.saturating_sub(earlier)));
    }
    Ok(after.outcome("return"))
}

/// Tabs say goodbye as a page does that is reloaded, and are back at once: nobody may see a change.
pub(super) fn reload(stage: &Stage) -> Result<Outcome, LoadError> {
    let mut before = Before::new(stage)?;
    let observers = before.gather(stage.clients().div_ceil(OBSERVER_IN), Opening::Join)?;
    let tabs = before.gather(stage.clients() - observers.len(), Opening::Join)?;
    let mut after = before.happens(|swarm| {
        let begun = Instant::now();
        for first in tabs.clone().step_by(RELOADS_AT_ONCE) {
            let reloaded = first..tabs.end.min(first + RELOADS_AT_ONCE);
            for client in reloaded.clone() {
                swarm.close(client, GOING_AWAY);
                swarm.set_opening(client, Opening::Rejoin);
            }
            swarm.until_closed(reloaded.clone(), stage.pace.patience)?;
            swarm.connect_all(reloaded, usize::MAX)?;
        }
        Ok(begun)
    })?;
    // A row whose end was only put off would go now.
    after.swarm.rest(ROW_IS_KEPT + stage.pace.settle)?;
    let (seen, away) = (after.swarm.traffic.facts, after.swarm.longest_absence());
    after.figures.insert("changes_seen", figure(seen));
    after.figures.insert("longest_absence_ms", away.as_secs_f64() * 1e3);
    judge_reload(&mut after.swarm.violations, seen, away);
    Ok(after.outcome("reload"))
}

/// Judges a reload in which so many changes were seen, and a tab was away for so long at the most.
fn judge_reload(violations: &mut Violations, seen: u64, away: Duration) {
    if away > ROW_IS_KEPT {
        // Then rows went and came, whatever the server; nothing that was seen is its fault.
        *violations = Violations::default();
        let (away, kept) = (away.as_secs_f64(), ROW_IS_KEPT.as_secs());
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
        let judged = |before: Option<&str>, seen, millis| {
            let mut violations = Violations::default();
            if let Some(sentence) = before {
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
