//! Who came, went and changed their name lately, as a person would tell it.

use std::{collections::BTreeMap, time::Duration};

use app::presence::{Name, RecentChange, UserId};

use super::{
    log::{Change, Log},
    members::Moment,
};

/// For how long changes are told.
const TOLD_FOR: Duration = Duration::from_hours(1);
/// At most so many changes of the log are looked at: a page shows a few of them.
const MOST_CHANGES: usize = 300;

/// The changes of the last hour with how long ago each was, the oldest first, as far as the log has them. Who went and
/// whose name is further back is left out.
pub fn recent_changes(log: &Log, now: Moment) -> Vec<(Duration, RecentChange)> {
    let mut names: BTreeMap<UserId, Name> = BTreeMap::new();
    let mut recent = Vec::new();
    for (at, change) in log.last_changes(MOST_CHANGES) {
        let told = match change {
            Change::Joined(user) => {
                names.insert(user.id, user.name.clone());
                Some(RecentChange::Joined(user.name.clone()))
            }
            Change::Departed { id, reason } => {
                names.remove(id).map(|name| RecentChange::Departed(name, *reason))
            }
            Change::Renamed { id, before, after } => {
                names.insert(*id, after.clone());
                Some(RecentChange::Renamed { before: before.clone(), after: after.clone() })
            }
            Change::StateChanged { .. } => None,
        };
        let ago = now.saturating_sub(at);
        recent.extend(told.filter(|_| ago <= TOLD_FOR).map(|told| (ago, told)));
    }
    recent
}

#[cfg(test)]
mod tests {
    use app::presence::{DepartureReason, PresenceState, User};

    use super::*;

    fn id(number: u8) -> UserId {
        format!("user-----{number:02}").parse().unwrap()
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn joined(number: u8, text: &str) -> Change {
        let state = PresenceState::Here;
        Change::Joined(User { id: id(number), name: name(text), joined: 0, state })
    }

    fn minutes(number: u64) -> Duration {
        Duration::from_secs(60 * number)
    }

    #[test]
    fn the_changes_of_the_last_hour_are_told_by_name() {
        let mut log = Log::default();
        log.push(joined(1, "Ana"), minutes(0));
        log.push(joined(2, "Bo"), minutes(50));
        let after = name("Ann");
        log.push(Change::Renamed { id: id(1), before: name("Ana"), after }, minutes(55));
        let away = PresenceState::Away;
        log.push(
            Change::StateChanged { id: id(2), before: PresenceState::Here, after: away },
            minutes(56),
        );
        log.push(Change::Departed { id: id(1), reason: DepartureReason::Left }, minutes(70));
        let told = recent_changes(&log, minutes(71));
        let expected = [
            (minutes(21), RecentChange::Joined(name("Bo"))),
            (minutes(16), RecentChange::Renamed { before: name("Ana"), after: name("Ann") }),
            (minutes(1), RecentChange::Departed(name("Ann"), DepartureReason::Left)),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_name_that_the_log_does_not_have_is_left_out() {
        let mut log = Log::default();
        log.push(Change::Departed { id: id(1), reason: DepartureReason::Lost }, minutes(1));
        assert_eq!(recent_changes(&log, minutes(2)), []);
    }

    #[test]
    fn the_end_of_a_long_log_is_told() {
        let mut log = Log::default();
        for number in 0..500_u64 {
            log.push(
                joined(u8::try_from(number % 100).unwrap(), &format!("P {number}")),
                minutes(0),
            );
        }
        let told = recent_changes(&log, minutes(1));
        assert_eq!(told.len(), MOST_CHANGES);
        assert_eq!(told.last().unwrap().1, RecentChange::Joined(name("P 499")));
    }
}
