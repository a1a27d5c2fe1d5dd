//! Durations in their largest whole unit.

/// A duration in its largest whole unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elapsed {
    /// Under a minute.
    Seconds(u64),
    /// Under an hour.
    Minutes(u64),
    /// Under a day.
    Hours(u64),
    /// A day or more.
    Days(u64),
}

impl Elapsed {
    /// The duration between two times in seconds; 0 if `later` is the earlier one.
    pub(crate) fn between(earlier: u64, later: u64) -> Self {
        Self::of_seconds(later.saturating_sub(earlier))
    }

    /// The duration of so many seconds.
    pub(crate) fn of_seconds(seconds: u64) -> Self {
        match seconds {
            0..60 => Self::Seconds(seconds),
            60..3_600 => Self::Minutes(seconds / 60),
            3_600..86_400 => Self::Hours(seconds / 3_600),
            _ => Self::Days(seconds / 86_400),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_whole_unit_is_taken() {
        let elapsed = [0, 59, 60, 3_599, 3_600, 86_399, 86_400, 400_000].map(Elapsed::of_seconds);
        assert_eq!(
            elapsed,
            [
                Elapsed::Seconds(0),
                Elapsed::Seconds(59),
                Elapsed::Minutes(1),
                Elapsed::Minutes(59),
                Elapsed::Hours(1),
                Elapsed::Hours(23),
                Elapsed::Days(1),
                Elapsed::Days(4),
            ]
        );
    }

    #[test]
    fn a_time_in_the_future_counts_as_now() {
        assert_eq!(Elapsed::between(10, 5), Elapsed::Seconds(0));
        assert_eq!(Elapsed::between(5, 70), Elapsed::Minutes(1));
    }
}
