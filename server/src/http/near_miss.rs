//! Addresses that are almost those of a page, and what was probably meant.

use app::{
    presence::{RoomName, RoomNameError},
    search_key,
};

/// The path without slashes at its end and without doubled ones, where that is a path of a room; none if it
/// stays as it is.
///
/// Proxies, link checkers and people add such slashes.
pub(crate) fn without_extra_slashes(path: &str) -> Option<String> {
    let mut segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    // A browser would resolve it against what is before it, and leave the base path.
    if segments.iter().any(|segment| is_dot_segment(segment)) {
        return None;
    }
    let lower_case;
    match segments.as_mut_slice() {
        ["r", room, ..] => {
            if room.parse::<RoomName>() == Err(RoomNameError::UpperCase) {
                lower_case = room.to_ascii_lowercase();
                *room = &lower_case;
            }
        }
        ["api", "rooms", _, ..] | ["new" | "privacy"] => {}
        _ => return None,
    }
    let clean: String = segments.into_iter().flat_map(|segment| ["/", segment]).collect();
    (clean != path).then_some(clean)
}

/// As browsers resolve it: `.` or `..`, of which dots may be escaped (the URL standard's "double-dot URL path segment").
fn is_dot_segment(segment: &str) -> bool {
    matches!(&*segment.to_ascii_lowercase().replace("%2e", "."), "." | "..")
}

/// Whether the path is one of an embed.
pub(crate) fn is_embed(path: &str) -> bool {
    path.starts_with("/r/") && path.split('/').skip(3).eq(["embed"])
}

/// The valid room name closest to the text, if there is one: `cafe` for `Café`.
pub(crate) fn suggestion(text: &str) -> Option<RoomName> {
    RoomName::suggest(&search_key(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn extra_slashes_are_removed_from_paths_of_rooms() {
        for (path, clean) in [
            ("/r/t1/", Some("/r/t1")),
            ("/r/t1//", Some("/r/t1")),
            ("//r//t1", Some("/r/t1")),
            ("/r/Team-7/", Some("/r/team-7")),
            ("/r/t1/embed/", Some("/r/t1/embed")),
            ("/api/rooms/t1/users/", Some("/api/rooms/t1/users")),
            ("/privacy/", Some("/privacy")),
            ("/new/", Some("/new")),
            ("/r/caf%C3%A9/", Some("/r/caf%C3%A9")),
            ("/r/t1", None),
            ("/r/", None),
            ("/", None),
            ("//evil.example/", None),
            ("/nowhere/", None),
            ("/r/Team/.", None),
            ("/r/../../Team/", None),
            ("/r/%2e%2E/%2e./team/", None),
            ("/r/.well-known/", Some("/r/.well-known")),
        ] {
            assert_eq!(without_extra_slashes(path).as_deref(), clean, "{path}");
        }
    }

    #[test]
    fn a_suggestion_has_the_base_letters_of_accented_ones() {
        for (text, room) in [
            ("café", Some("cafe")),
            ("cafe\u{301}", Some("cafe")),
            ("ÉQUIPE Sept", Some("equipe-sept")),
            ("straße", Some("strasse")),
            ("Łódź", Some("lodz")),
            ("Ærø", Some("aero")),
            ("Þórshöfn", Some("thorshofn")),
            ("Ｔｅａｍ", Some("team")),
            ("Team-7/", Some("team-7")),
            ("会議", None),
            ("a_b", Some("a-b")),
        ] {
            assert_eq!(suggestion(text).as_ref().map(RoomName::as_str), room, "{text}");
        }
    }

    proptest! {
        /// A redirect stays on this host: a path that begins with two slashes would name another one.
        #[test]
        fn a_clean_path_stays_on_the_host_and_is_clean(path in "/?(/|r|api|rooms|privacy|[a-z.]{0,5}){0,8}") {
            if let Some(clean) = without_extra_slashes(&path) {
                prop_assert!(clean.starts_with('/') && !clean.contains("//"));
                prop_assert_eq!(without_extra_slashes(&clean), None);
            }
        }
    }
}
