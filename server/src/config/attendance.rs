//! For how long attendance is kept, as a setting.

use std::time::Duration;

use super::value::{Blank, Value, ValueKind};

/// Shorter, and it would be gone before anybody could export it.
const SHORTEST: Duration = Duration::from_mins(1);
/// Longer, and it would be an archive, which a file that is rewritten every few seconds is not.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// For how long attendance is kept, within bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttendanceRetention(Duration);

impl AttendanceRetention {
    /// How long that is.
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl Value for AttendanceRetention {
    fn kind(&self) -> ValueKind {
        self.0.kind()
    }

    fn placeholder(&self) -> &'static str {
        self.0.placeholder()
    }

    fn parse(&mut self, text: &str) -> Result<(), &'static str> {
        const EXPECTED: &str =
            "a duration from 1m to 168h, like 90m or 12h; a number alone is seconds";
        let mut duration = Duration::ZERO;
        duration.parse(text).map_err(|_| EXPECTED)?;
        if !(SHORTEST..=LONGEST).contains(&duration) {
            return Err(EXPECTED);
        }
        self.0 = duration;
        Ok(())
    }

    fn format(&self) -> Option<String> {
        self.0.format()
    }
}

impl Blank for AttendanceRetention {
    fn blank() -> Self {
        Self(SHORTEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retention_has_bounds() {
        let parse = |text| {
            let mut retention = None::<AttendanceRetention>;
            retention.parse(text).map(|()| retention.map(AttendanceRetention::duration))
        };
        assert_eq!(parse("12h"), Ok(Some(Duration::from_hours(12))));
        assert_eq!(parse("60"), Ok(Some(SHORTEST)));
        assert_eq!(parse("168h"), Ok(Some(LONGEST)));
        assert_eq!(parse(""), Ok(None));
        for text in ["0", "59s", "169h", "12", "1d", "off"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
