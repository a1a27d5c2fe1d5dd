//! A histogram of durations, in fixed memory however many are recorded.

use std::time::Duration;

/// Values are stored to three significant digits, so quantiles are exact to 0.1 %.
const SIGNIFICANT_DIGITS: u8 = 3;

/// The resolution is a microsecond.
const MIN_IN_MICROS: u64 = 1;

/// Longer durations are recorded as one hour: no run waits that long.
const MAX_IN_MICROS: u64 = 3_600_000_000;

/// Counts durations by size.
#[derive(Clone, Debug)]
pub struct Histogram(hdrhistogram::Histogram<u64>);

impl Default for Histogram {
    fn default() -> Self {
        let histogram = hdrhistogram::Histogram::new_with_bounds(
            MIN_IN_MICROS,
            MAX_IN_MICROS,
            SIGNIFICANT_DIGITS,
        );
        #[expect(
            clippy::expect_used,
            reason = "fails only for invalid bounds, which are constants"
        )]
        Self(histogram.expect("the bounds are valid"))
    }
}

impl Histogram {
    /// Counts a duration.
    pub fn record(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record(micros);
    }

    /// Adds the counts of another histogram.
    pub fn add(&mut self, other: &Self) {
        // Both have the same bounds, so no value is out of range.
        let _ = self.0.add(&other.0);
    }

    /// The number of recorded durations.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The shortest duration that `share` of all (0 to 1) did not exceed; `None` if there are none.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_micros(self.0.value_at_quantile(share)))
    }

    /// The longest duration; `None` if there are none.
    pub fn max(&self) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_micros(self.0.max()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_exact_to_a_tenth_of_a_percent() {
        let mut histogram = Histogram::default();
        for micros in 1..=100_000 {
            histogram.record(Duration::from_micros(micros));
        }
        assert_eq!(histogram.count(), 100_000);
        for (share, exact) in [(0.5, 50_000.0), (0.99, 99_000.0), (0.001, 100.0), (1.0, 100_000.0)]
        {
            let found = histogram.quantile(share).unwrap().as_secs_f64() * 1e6;
            assert!((found / exact - 1.0).abs() < 0.001, "{share}: {found}, not {exact}");
        }
        assert_eq!(histogram.max(), histogram.quantile(1.0));
    }

    #[test]
    fn added_histograms_count_both() {
        let mut one = Histogram::default();
        one.record(Duration::from_millis(1));
        let mut other = Histogram::default();
        other.record(Duration::from_millis(3));
        one.add(&other);
        assert_eq!(one.count(), 2);
        assert!(one.max() >= Some(Duration::from_millis(3)));
    }

    #[test]
    fn empty_histogram_has_no_quantile_and_long_durations_saturate() {
        assert_eq!(Histogram::default().quantile(0.5), None);
        assert_eq!(Histogram::default().max(), None);
        let mut histogram = Histogram::default();
        histogram.record(Duration::MAX);
        assert!(histogram.max() >= Some(Duration::from_micros(MAX_IN_MICROS)));
    }
}
