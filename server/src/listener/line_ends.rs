//! Finds line feeds without a carriage return in the heads of requests (RFC 9112, section 2.2).
//!
//! hyper takes them for the ends of lines. A proxy in front that does not would see another request than this server
//! does. Pure: it gets the bytes of a connection as they are read.

/// The length of a line's beginning that is kept: enough for the fields that say how long the body is.
const KEPT_IN_BYTES: usize = 64;

/// Where in a connection's requests the next byte is.
#[derive(Debug, Default)]
pub(super) struct LineEnds {
    place: Place,
    previous: u8,
    line: Line,
    /// What follows the head that is being read.
    after_head: Place,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Head,
    /// So many more bytes.
    Body(u64),
    /// Nobody knows how many: another protocol, unless the request for it is answered in HTTP.
    UntilAnswered,
    /// Nobody knows how many: the connection ends after the response.
    UntilTheEnd,
}

/// The beginning of a line.
#[derive(Debug)]
struct Line {
    bytes: [u8; KEPT_IN_BYTES],
    /// Of the whole line.
    length: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self { bytes: [0; KEPT_IN_BYTES], length: 0 }
    }
}

impl LineEnds {
    /// Whether one of the next bytes is a line feed in a head that follows no carriage return.
    pub(super) fn read(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        let mut is_bare = false;
        while let Some((byte, after)) = rest.split_first() {
            match &mut self.place {
                Place::Head => {
                    is_bare |= self.read_of_head(*byte);
                    rest = after;
                }
                Place::Body(left) => {
                    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    *left = left.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
                    if *left == 0 {
                        (self.place, self.previous) = (Place::Head, 0);
                    }
                    rest = rest.get(length..).unwrap_or_default();
                }
                Place::UntilAnswered | Place::UntilTheEnd => {
                    // The head of a next request may have begun.
                    self.previous = rest.last().copied().unwrap_or(*byte);
                    rest = &[];
                }
            }
        }
        is_bare
    }

    /// A response was written, so the connection still speaks HTTP.
    pub(super) fn answered(&mut self) {
        if self.place == Place::UntilAnswered {
            self.place = Place::Head;
        }
    }

    fn read_of_head(&mut self, byte: u8) -> bool {
        let previous = std::mem::replace(&mut self.previous, byte);
        if byte != b'\n' {
            self.line.push(byte);
            return false;
        }
        let line = std::mem::take(&mut self.line);
        let text = line.without_return();
        if text.is_empty() {
            // Empty lines before a request are ignored (the same section), and change nothing here.
            self.place = std::mem::take(&mut self.after_head);
        } else if let Some(after_head) = body_after(text) {
            self.after_head = self.after_head.or(after_head);
        }
        previous != b'\r'
    }
}

impl Line {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
        }
        self.length += 1;
    }

    /// Its beginning, without the carriage return at its end.
    fn without_return(&self) -> &[u8] {
        let kept = self.bytes.get(..self.length).unwrap_or(&self.bytes);
        kept.strip_suffix(b"\r").unwrap_or(kept)
    }
}

impl Place {
    /// Of two fields of a head, the one that says less about the length.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::UntilTheEnd, _) | (_, Self::UntilTheEnd) => Self::UntilTheEnd,
            (Self::UntilAnswered, _) | (_, Self::UntilAnswered) => Self::UntilAnswered,
            _ => other,
        }
    }

    fn of_length(length: u64) -> Self {
        if length == 0 { Self::Head } else { Self::Body(length) }
    }
}

/// What follows a head with this line; none where the line does not tell.
fn body_after(line: &[u8]) -> Option<Place> {
    let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
    if name.eq_ignore_ascii_case("content-length") {
        // hyper refuses what is no number.
        return Some(value.trim().parse().map_or(Place::UntilTheEnd, Place::of_length));
    }
    let is_chunked = name.eq_ignore_ascii_case("transfer-encoding");
    let is_upgrade = name.eq_ignore_ascii_case("upgrade");
    is_chunked.then_some(Place::UntilTheEnd).or(is_upgrade.then_some(Place::UntilAnswered))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const BARE: &str = "GET / HTTP/1.1\nHost: a\r\n\r\n";

    fn is_bare(text: &str) -> bool {
        LineEnds::default().read(text.as_bytes())
    }

    #[test]
    fn line_feed_alone_is_found_anywhere_in_a_head() {
        for text in [
            BARE,
            "GET / HTTP/1.1\r\nHost: a\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\n",
            "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\n\n",
            "GET / HTTP/1.1\r\nX: \r\r\n\n",
        ] {
            assert!(is_bare(text), "{text:?}");
        }
        for text in [GET, "\r\n\r\nGET / HTTP/1.1\r\n\r\n", "GET / HT", ""] {
            assert!(!is_bare(text), "{text:?}");
        }
    }

    #[test]
    fn line_feeds_of_a_body_are_the_clients_own() {
        let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-length:  4 \r\n\r\na\n\nb";
        assert!(!is_bare(&[post, GET].concat()));
        assert!(is_bare(&[post, BARE].concat()));
        let empty = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
        assert!(is_bare(&[empty, BARE].concat()));
        let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n";
        assert!(!is_bare(&[chunked, "2\r\n\n\n\r\n0\r\n\r\n"].concat()));
    }

    #[test]
    fn requests_in_one_piece_are_all_checked() {
        assert!(!is_bare(&GET.repeat(3)));
        assert!(is_bare(&[GET, GET, BARE].concat()));
        let long = format!("GET / HTTP/1.1\r\nCookie: {}\r\n\r\n", "c".repeat(5_000));
        assert!(!is_bare(&[&*long, GET].concat()));
        assert!(is_bare(&[&*long, BARE].concat()));
    }

    #[test]
    fn another_protocol_is_not_checked_unless_the_answer_is_http() {
        let upgrade = "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
        let mut line_ends = LineEnds::default();
        assert!(!line_ends.read(&[upgrade, "frame\nframe"].concat().into_bytes()));
        assert!(!line_ends.read(b"\n"));
        line_ends.answered();
        assert!(!line_ends.read(GET.as_bytes()));
        assert!(line_ends.read(BARE.as_bytes()));
    }

    proptest! {
        /// It does not matter how the bytes arrive, and the model sees the whole text.
        #[test]
        fn requests_are_checked_alike_in_any_pieces(
            requests in prop::collection::vec(
                prop_oneof![
                    Just(GET.to_owned()),
                    Just(BARE.to_owned()),
                    Just("GET / HTTP/1.1\r\nX: y\r\n\n".to_owned()),
                    "[a\n\r]{0,9}".prop_map(|body| {
                        format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}", body.len())
                    }),
                ],
                0..6,
            ),
            lengths in prop::collection::vec(1..9_usize, 1..40),
        ) {
            let expected = requests.iter().any(|request| !request.starts_with("POST") && request != GET);
            let text = requests.concat();
            let (mut line_ends, mut rest, mut found) = (LineEnds::default(), text.as_bytes(), false);
            for length in lengths.iter().cycle() {
                let (piece, after) = rest.split_at((*length).min(rest.len()));
                found |= line_ends.read(piece);
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn arbitrary_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            LineEnds::default().read(&bytes);
        }
    }
}
