//! How much the logs of all rooms remember together.
//!
//! A log holds its last 1,000 changes for as long as the room is there. That is little for one room, and without an
//! upper bound much for tens of thousands.

use std::sync::Arc;

use super::{Hub, shared_room::SharedRoom};

impl Hub {
    /// Has the rooms forget old changes if they hold more than this together. Rooms without a reader give way first,
    /// those that have had none for the longest time before the others; then those with the longest logs.
    pub(super) fn sweep_logs(&self, most_bytes: usize) {
        let all: Vec<_> = self.lock().iter().map(|(_, entry)| Arc::clone(&entry.room)).collect();
        let mut size: usize = all.iter().map(|room| room.log_in_bytes()).sum();
        if size <= most_bytes {
            return;
        }
        let vacant: Vec<_> = self.lock().vacant().map(|vacant| vacant.room).collect();
        for room in vacant {
            size = size.saturating_sub(room.log_in_bytes());
            room.trim_log(0);
            if size <= most_bytes {
                return;
            }
        }
        let sizes = all.iter().map(|room| room.log_in_bytes()).collect();
        if let Some(level) = level(sizes, most_bytes) {
            let is_longer = |room: &&Arc<SharedRoom>| room.log_in_bytes() > level;
            all.iter().filter(is_longer).for_each(|room| room.trim_log(level));
        }
    }
}

/// What each may keep so that all together keep `most`, where whoever has less keeps all. `None` if nobody has too much.
fn level(mut sizes: Vec<usize>, most: usize) -> Option<usize> {
    sizes.sort_unstable();
    let (mut left, mut others) = (most, sizes.len());
    for size in sizes {
        let share = left / others;
        if size > share {
            return Some(share);
        }
        left -= size;
        others -= 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn those_with_the_most_give_way() {
        for (sizes, most, expected) in [
            (vec![], 10, None),
            (vec![10], 10, None),
            (vec![11], 10, Some(10)),
            (vec![1, 2, 100], 13, Some(10)),
            (vec![100, 1, 100], 21, Some(10)),
            (vec![5, 5, 5], 9, Some(3)),
            (vec![5], 0, Some(0)),
        ] {
            assert_eq!(level(sizes.clone(), most), expected, "{sizes:?}");
        }
    }

    proptest! {
        #[test]
        fn all_keep_as_much_as_they_may(
            sizes in prop::collection::vec(0..1_000_usize, 0..50),
            most in 0..20_000_usize,
        ) {
            let kept = |level: Option<usize>| {
                sizes.iter().map(|size| level.map_or(*size, |level| *size.min(&level))).sum::<usize>()
            };
            let level = level(sizes.clone(), most);
            prop_assert!(kept(level) <= most);
            if let Some(level) = level {
                prop_assert!(kept(Some(level + 1)) > most, "{level} is too low");
            }
        }
    }
}
