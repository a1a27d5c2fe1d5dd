//! The estimated size of a list on the wire.

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
        let now = Now { moment: Moment::ZERO, unix_seconds: 1_795_421_000 };
        let mut room = Room::new(limits, epoch(), now);
        for (person, action, called) in steps {
            let user_id = id(person);
            let command = if action == 0 {
                Command::RowRemoved { user_id, reason: DepartureReason::Left }
            } else {
                let join = join(&called, Some("a"), u64::from(person));
                Command::Announced { user_id, join, kind: JoinKind::Repeat }
            };
            room.apply(command, now).accepted().unwrap();
            let size = room.list_size_in_bytes();
            prop_assert!(size.abs_diff(frame_in_bytes(&room)) < 60, "{size}");
        }
        let restored = Room::restore(room.save(now.moment), epoch(), None, limits, now).unwrap();
        prop_assert_eq!(restored.list_size_in_bytes(), room.list_size_in_bytes());
    }
}
