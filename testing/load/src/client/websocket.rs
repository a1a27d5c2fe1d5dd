//! WebSocket framing (RFC 6455) for a client, without extensions and fragments.
//!
//! It is hand-made because the frames are kept as bytes: clients that received the same bytes share
//! one parsed list (`oracle::lists`).

// The first byte of a frame: the FIN bit and the opcode (RFC 6455, section 5.2).
const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// A frame of the server, borrowed from the bytes that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A whole text message.
    Text(&'a [u8]),
    /// A close frame, with its code if it has one.
    Close(Option<u16>),
    /// A ping, whose payload has to be returned.
    Ping(&'a [u8]),
    /// The reply to a ping.
    Pong,
}

/// Why bytes are not a valid frame of this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Neither an unfragmented text nor a control frame.
    #[error("a frame starts with {0:#04x}: it is neither an unfragmented text nor a control frame")]
    Kind(u8),
    /// A server must not mask its frames.
    #[error("a frame of the server is masked")]
    Masked,
    /// Longer than the protocol allows.
    #[error("a frame is {0} bytes long, which is more than the limit")]
    TooLong(u64),
}

/// The protocol's limit for a frame's payload.
const MAX_PAYLOAD_IN_BYTES: u64 = 4096;

/// Parses the first frame of `bytes` and returns it with its length; `None` if it is incomplete.
pub fn parse_frame(bytes: &[u8]) -> Result<Option<(Frame<'_>, usize)>, FrameError> {
    parse_frame_up_to(MAX_PAYLOAD_IN_BYTES, bytes)
}

/// The same for frames of another protocol, with another limit.
pub fn parse_frame_up_to(
    most_bytes: u64,
    bytes: &[u8],
) -> Result<Option<(Frame<'_>, usize)>, FrameError> {
    let Some((&[first, second], rest)) = bytes.split_first_chunk::<2>() else {
        return Ok(None);
    };
    if second & 0x80 != 0 {
        return Err(FrameError::Masked);
    }
    let (length, rest) = match second {
        126 => match rest.split_first_chunk::<2>() {
            Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), rest),
            None => return Ok(None),
        },
        127 => match rest.split_first_chunk::<8>() {
            Some((length, rest)) => (u64::from_be_bytes(*length), rest),
            None => return Ok(None),
        },
        short => (u64::from(short), rest),
    };
    if length > most_bytes {
        return Err(FrameError::TooLong(length));
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let Some(payload) = rest.get(..length) else {
        return Ok(None);
    };
    let frame = match first {
        TEXT => Frame::Text(payload),
        CLOSE => Frame::Close(payload.first_chunk::<2>().map(|code| u16::from_be_bytes(*code))),
        PING => Frame::Ping(payload),
        PONG => Frame::Pong,
        other => return Err(FrameError::Kind(other)),
    };
    Ok(Some((frame, bytes.len() - rest.len() + length)))
}

/// Encodes frames for the server, each with another mask.
#[derive(Clone, Debug)]
pub struct FrameWriter {
    mask: u32,
}

impl Default for FrameWriter {
    fn default() -> Self {
        Self { mask: 0x9e37_79b9 }
    }
}

impl FrameWriter {
    /// A text message.
    pub fn text(&mut self, text: &str) -> Vec<u8> {
        self.frame(TEXT, text.as_bytes())
    }

    /// A close frame with this code.
    pub fn close(&mut self, code: u16) -> Vec<u8> {
        self.frame(CLOSE, &code.to_be_bytes())
    }

    /// The reply to a ping.
    pub fn pong(&mut self, payload: &[u8]) -> Vec<u8> {
        self.frame(PONG, payload)
    }

    fn frame(&mut self, kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::with_capacity(payload.len() + 8);
        frame.push(kind);
        match u8::try_from(payload.len()) {
            Ok(length) if length < 126 => frame.push(0x80 | length),
            _ => {
                frame.push(0x80 | 0x7e);
                let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
                frame.extend_from_slice(&length.to_be_bytes());
            }
        }
        // Masks protect proxies from scripts, so unpredictable ones are not needed here.
        self.mask ^= self.mask << 13;
        self.mask ^= self.mask >> 17;
        self.mask ^= self.mask << 5;
        let mask = self.mask.to_be_bytes();
        frame.extend_from_slice(&mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client's frame as the server decodes it.
    fn unmasked(frame: &[u8]) -> (u8, Vec<u8>) {
        let (length, rest) = match frame[1] & 0x7f {
            126 => (usize::from(u16::from_be_bytes([frame[2], frame[3]])), &frame[4..]),
            short => (usize::from(short), &frame[2..]),
        };
        assert_eq!(frame[1] & 0x80, 0x80);
        let (mask, payload) = rest.split_at(4);
        assert_eq!(payload.len(), length);
        (
            frame[0],
            payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect(),
        )
    }

    /// An unmasked frame.
    fn server_frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![kind];
        match payload.len() {
            length @ 0..126 => frame.push(u8::try_from(length).unwrap()),
            length => {
                frame.push(126);
                frame.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
            }
        }
        frame.extend_from_slice(payload);
        frame
    }

    #[test]
    fn written_frames_are_masked_and_readable() {
        let mut writer = FrameWriter::default();
        for length in [0, 1, 125, 126, 127, 4096] {
            let text = "x".repeat(length);
            assert_eq!(unmasked(&writer.text(&text)), (TEXT, text.clone().into_bytes()));
        }
        assert_eq!(unmasked(&writer.close(1001)), (CLOSE, vec![3, 233]));
        assert_eq!(unmasked(&writer.pong(b"hello")), (PONG, b"hello".to_vec()));
        assert_ne!(
            writer.text("same")[2..6],
            writer.text("same")[2..6],
            "each frame has its own mask"
        );
    }

    #[test]
    fn frames_are_parsed_from_chunks_of_any_size() {
        let texts: Vec<Vec<u8>> = [0, 1, 125, 126, 4096].map(|length| vec![b'x'; length]).into();
        let stream: Vec<u8> = texts.iter().flat_map(|text| server_frame(TEXT, text)).collect();
        for step in [1, 2, 3, 100, stream.len()] {
            let (mut partial, mut found) = (Vec::new(), Vec::new());
            for chunk in stream.chunks(step) {
                partial.extend_from_slice(chunk);
                while let Some((frame, length)) = parse_frame(&partial).unwrap() {
                    let Frame::Text(text) = frame else { panic!("{frame:?}") };
                    found.push(text.to_vec());
                    partial.drain(..length);
                }
            }
            assert_eq!(found, texts);
            assert!(partial.is_empty());
        }
    }

    #[test]
    fn control_frames_are_distinguished() {
        let frame = |bytes: &[u8]| match parse_frame(bytes) {
            Ok(Some((Frame::Close(code), length))) if length == bytes.len() => Ok(code),
            other => Err(format!("{other:?}")),
        };
        assert_eq!(frame(&server_frame(CLOSE, &[3, 232, b'x'])), Ok(Some(1000)));
        assert_eq!(frame(&server_frame(CLOSE, b"")), Ok(None));
        assert_eq!(parse_frame(&server_frame(PING, b"hi")), Ok(Some((Frame::Ping(b"hi"), 4))));
        assert_eq!(parse_frame(&server_frame(PONG, b"")), Ok(Some((Frame::Pong, 2))));
    }

    #[test]
    fn invalid_server_frames_are_errors() {
        assert_eq!(parse_frame(&[TEXT, 0x80, 0, 0, 0, 0]), Err(FrameError::Masked));
        assert_eq!(parse_frame(&server_frame(0x01, b"part")), Err(FrameError::Kind(0x01)));
        assert_eq!(parse_frame(&server_frame(0x82, b"binary")), Err(FrameError::Kind(0x82)));
        assert_eq!(parse_frame(&server_frame(TEXT, &[b'x'; 4097])), Err(FrameError::TooLong(4097)));
        assert_eq!(
            parse_frame(&[TEXT, 127, 0, 0, 0, 1, 0, 0, 0, 0]),
            Err(FrameError::TooLong(1 << 32))
        );
    }
}
