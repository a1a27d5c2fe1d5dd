//! The estimated size of a list on the wire.

use app::presence::Epoch;
use proptest::prelude::*;

use super::*;
use crate::encoding::snapshot_pages::EncodedList;

/// The exact size of a list in one frame.
fn frame_in_bytes(room: &Room) -> usize {
    let list = EncodedList::new(Epoch::from_number(1), room.log().seq(), room.roster());
    list.frames_for(Some(id(1)), 1_795_421_000_000).map(|frame| frame.text().len()).sum()
}

proptest! {
    #[test]
    fn estimated_list_size_is_close_to_the_frame(
        steps in prop::collection::vec((0..30_u8, 0..5_u8, "[a-z]{1,40}"), 0..80),
    ) {
        let limits = RoomLimits { most_people: 30, ..LIMITS };
        let mut room = Room::new(limits);
        let now = Now { moment: Moment::ZERO, unix_seconds: 1_795_421_000 };
        for (person, action, called) in steps {
            if action == 0 {
                room.remove_row(id(person), DepartureReason::Left, now.moment);
            } else {
                let tab = TabKey::Named("a".parse().unwrap());
                let connection = ConnectionId(u64::from(person));
                let again = Join { kind: JoinKind::Repeat, ..join(&called, tab, connection) };
                room.join(id(person), again, now).unwrap();
            }
            let size = room.list_size_in_bytes();
            prop_assert!(size.abs_diff(frame_in_bytes(&room)) < 60, "{size}");
        }
        let restored = Room::restore(room.save(now.moment), limits, now.moment).unwrap();
        prop_assert_eq!(restored.list_size_in_bytes(), room.list_size_in_bytes());
    }
}
