//! Unguessable names for new rooms.

/// The id of the "New room" link below the page; the browser sets its address.
pub(crate) const NEW_ROOM_LINK: &str = "new-room";

/// 32 letters and digits that are not easily confused when read aloud or written down.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// How many random bytes a name takes; five bits of each are used, 80 in all.
pub(crate) const RANDOM_BYTES: usize = 16;

/// The address of a new room from uniformly random bytes: `/r/xxxx-xxxx-xxxx-xxxx`.
pub(crate) fn new_room_address(random: [u8; RANDOM_BYTES]) -> String {
    let mut address = String::from("/r/");
    for (index, letter) in random_letters(random).char_indices() {
        if index > 0 && index % 4 == 0 {
            address.push('-');
        }
        address.push(letter);
    }
    address
}

/// One letter or digit for each uniformly random byte.
pub(crate) fn random_letters(random: [u8; RANDOM_BYTES]) -> String {
    random.into_iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::presence::RoomName;

    #[test]
    fn a_name_has_groups_of_four_characters() {
        let random = std::array::from_fn(|index| u8::try_from(index * 17).unwrap());
        assert_eq!(new_room_address([0; RANDOM_BYTES]), "/r/aaaa-aaaa-aaaa-aaaa");
        assert_eq!(new_room_address(random), "/r/aucw-eyg0-j3m5-p7r9");
    }

    proptest! {
        #[test]
        fn a_name_is_always_a_valid_room_name(random in any::<[u8; RANDOM_BYTES]>()) {
            let address = new_room_address(random);
            let name = address.strip_prefix("/r/").unwrap();
            prop_assert_eq!(name.parse::<RoomName>().map(|name| name.to_string()), Ok(name.to_owned()));
        }
    }
}
