//! Times as the visitor's clock shows them.

use std::time::{Duration, UNIX_EPOCH};

use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// A second, in the time zone of whoever reads it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalTime(OffsetDateTime);

impl LocalTime {
    /// Of seconds since 1970 in UTC.
    pub(crate) fn new(unix_seconds: u64, offset: UtcOffset) -> Self {
        Self(OffsetDateTime::from(UNIX_EPOCH + Duration::from_secs(unix_seconds)).to_offset(offset))
    }

    /// With its offset, as RFC 3339 has it.
    pub(crate) fn to_rfc3339(self) -> String {
        self.0.format(&Rfc3339).unwrap_or_default()
    }

    /// Year, month and day: `2026-11-30`, which spreadsheets read as a date in every country.
    pub(crate) fn date(self) -> String {
        let (year, month, day) = self.0.to_calendar_date();
        format!("{year:04}-{:02}-{day:02}", u8::from(month))
    }

    /// Hours, minutes and seconds.
    pub(crate) fn clock(self) -> String {
        let (hour, minute, second) = self.0.to_hms();
        format!("{hour:02}:{minute:02}:{second:02}")
    }

    /// What its clock is ahead of UTC, in hours and minutes: `+02:00`.
    pub(crate) fn offset(self) -> String {
        let (hours, minutes, _) = self.0.offset().as_hms();
        let sign = if self.0.offset().is_negative() { '-' } else { '+' };
        format!("{sign}{:02}:{:02}", hours.unsigned_abs(), minutes.unsigned_abs())
    }

    /// Seconds since 1970 on its clock, for formats without a time zone.
    pub(crate) fn clock_seconds(self) -> i64 {
        self.0.unix_timestamp() + i64::from(self.0.offset().whole_seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_times_have_the_date_of_their_offset() {
        // 2026-11-24, 12:00:00 UTC.
        for (minutes, rfc3339, date, clock, offset) in [
            (0, "2026-11-24T12:00:00Z", "2026-11-24", "12:00:00", "+00:00"),
            (840, "2026-11-25T02:00:00+14:00", "2026-11-25", "02:00:00", "+14:00"),
            (-765, "2026-11-23T23:15:00-12:45", "2026-11-23", "23:15:00", "-12:45"),
            (-30, "2026-11-24T11:30:00-00:30", "2026-11-24", "11:30:00", "-00:30"),
        ] {
            let offset_of = UtcOffset::from_whole_seconds(minutes * 60).unwrap();
            let time = LocalTime::new(1_795_521_600, offset_of);
            assert_eq!(time.to_rfc3339(), rfc3339);
            assert_eq!([time.date(), time.clock(), time.offset()], [date, clock, offset]);
            assert_eq!(time.clock_seconds(), 1_795_521_600 + i64::from(minutes) * 60);
        }
    }
}
