//! A name for a room that nobody guesses.

/// 32 letters and digits that are not mistaken for each other when read aloud or written down.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// How many random bytes a name takes; five bits of each count, which makes 80.
pub(crate) const RANDOM_BYTES: usize = 16;

/// The address of a new room, made of even randomness: `/r/xxxx-xxxx-xxxx-xxxx`.
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

/// Letters and digits, one for each byte of even randomness.
pub(crate) fn random_letters(random: [u8; RANDOM_BYTES]) -> String {
    random.into_iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::presence::RoomName;

    #[test]
    fn it_is_in_groups_of_four() {
        let random = std::array::from_fn(|index| u8::try_from(index * 17).unwrap());
        assert_eq!(new_room_address([0; RANDOM_BYTES]), "/r/aaaa-aaaa-aaaa-aaaa");
        assert_eq!(new_room_address(random), "/r/aucw-eyg0-j3m5-p7r9");
    }

    proptest! {
        #[test]
        fn it_is_always_the_name_of_a_room(random in any::<[u8; RANDOM_BYTES]>()) {
            let address = new_room_address(random);
            let name = address.strip_prefix("/r/").unwrap();
            prop_assert_eq!(name.parse::<RoomName>().map(|name| name.to_string()), Ok(name.to_owned()));
        }
    }
}
