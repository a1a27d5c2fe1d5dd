//! How long things took, counted by size: fixed memory, however many there are.

use std::time::Duration;

/// Each power of two of microseconds is split into this many buckets, so a value is known to 3 %.
const BUCKETS_PER_OCTAVE: u64 = 32;
/// Up to 2^40 µs, which is twelve days.
const OCTAVES: u64 = 40;

/// Counts durations; quantiles are exact to 3 %, the longest is exact.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    longest: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        let buckets = usize::try_from(BUCKETS_PER_OCTAVE * OCTAVES).unwrap_or_default();
        Self { counts: vec![0; buckets], total: 0, longest: Duration::ZERO }
    }
}

impl Histogram {
    /// Counts one.
    pub fn record(&mut self, duration: Duration) {
        let last = self.counts.len() - 1;
        self.counts[bucket_of(duration).min(last)] += 1;
        self.total += 1;
        self.longest = self.longest.max(duration);
    }

    /// Counts all that another one counted, too.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
        self.longest = self.longest.max(other.longest);
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.total
    }

    /// What `share` of all (0 to 1) did not exceed; none if nothing was counted.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        if self.total == 0 {
            return None;
        }
        #[expect(
            clippy::as_conversions,
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank among counts is far below 2^52"
        )]
        let rank = ((self.total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let bucket = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        // The last bucket has no end but the longest.
        let bounded = bucket.filter(|bucket| bucket + 1 < self.counts.len());
        Some(bounded.map_or(self.longest, upper_bound).min(self.longest))
    }

    /// The longest; none if nothing was counted.
    pub fn longest(&self) -> Option<Duration> {
        (self.total > 0).then_some(self.longest)
    }
}

/// Buckets below one octave's number are single microseconds; above, each octave has as many.
fn bucket_of(duration: Duration) -> usize {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    let bucket = if micros < BUCKETS_PER_OCTAVE {
        micros
    } else {
        let octave = u64::from(micros.ilog2() - BUCKETS_PER_OCTAVE.ilog2());
        (octave + 1) * BUCKETS_PER_OCTAVE + (micros >> octave) - BUCKETS_PER_OCTAVE
    };
    usize::try_from(bucket).unwrap_or(usize::MAX)
}

/// The longest duration of a bucket.
fn upper_bound(bucket: usize) -> Duration {
    let bucket = u64::try_from(bucket).unwrap_or(u64::MAX);
    if bucket < BUCKETS_PER_OCTAVE {
        return Duration::from_micros(bucket);
    }
    let octave = bucket / BUCKETS_PER_OCTAVE - 1;
    let offset = bucket % BUCKETS_PER_OCTAVE + BUCKETS_PER_OCTAVE;
    Duration::from_micros(((offset + 1) << octave) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_three_percent() {
        let mut histogram = Histogram::default();
        for micros in 1..=100_000 {
            histogram.record(Duration::from_micros(micros));
        }
        assert_eq!(histogram.count(), 100_000);
        for (share, exact) in [(0.5, 50_000.0), (0.99, 99_000.0), (0.001, 100.0)] {
            let found = histogram.quantile(share).unwrap().as_secs_f64() * 1e6;
            assert!((found / exact - 1.0).abs() < 0.032, "{share}: {found}, not {exact}");
        }
        assert_eq!(histogram.longest(), Some(Duration::from_millis(100)));
        assert_eq!(histogram.quantile(1.0), histogram.longest());
    }

    #[test]
    fn every_duration_is_in_the_bucket_that_holds_it() {
        for micros in (0..5_000).chain([1 << 20, (1 << 20) - 1, (1 << 30) + 12_345]) {
            let duration = Duration::from_micros(micros);
            let bucket = bucket_of(duration);
            assert!(upper_bound(bucket) >= duration);
            assert!(bucket == 0 || upper_bound(bucket - 1) < duration);
        }
    }

    #[test]
    fn nothing_has_no_quantile_and_the_longest_of_all_is_kept() {
        assert_eq!(Histogram::default().quantile(0.5), None);
        assert_eq!(Histogram::default().longest(), None);
        let mut histogram = Histogram::default();
        histogram.record(Duration::MAX);
        assert_eq!(histogram.quantile(0.5), Some(Duration::MAX));
    }
}
