//! When a message is sent again that did not arrive. Pure: time and randomness are parameters.

use std::time::Duration;

/// The gap after the first attempt. Each later one is twice as long.
const FIRST_GAP: Duration = Duration::from_secs(1);

/// The gaps grow to this. A receiver that is back waits no longer for what it missed.
const LONGEST_GAP: Duration = Duration::from_mins(10);

/// The longest that a receiver may ask to wait for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);

/// How long to wait after so many attempts; `random` is from 0 to 1.
///
/// Between half of the gap and all of it, so that the messages of many servers to one receiver spread. A receiver that
/// asks for more gets more.
pub(crate) fn gap(attempts: u32, random: f64, retry_after: Option<Duration>) -> Duration {
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
    let gap = FIRST_GAP.saturating_mul(doubled).min(LONGEST_GAP);
    let with_jitter = gap.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0);
    let requested = retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
    with_jitter.max(requested)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_grow_to_ten_minutes_with_jitter() {
        let seconds = |attempts, random| gap(attempts, random, None).as_secs_f64();
        let longest: Vec<_> = (1..=12).map(|attempts| seconds(attempts, 1.0)).collect();
        let expected = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 600.0, 600.0];
        assert_eq!(longest, expected);
        for attempts in [1, 5, 100, u32::MAX] {
            let (least, most) = (seconds(attempts, 0.0), seconds(attempts, 1.0));
            assert!((most - 2.0 * least).abs() < 1e-9, "{attempts}");
        }
    }

    #[test]
    fn receiver_may_ask_for_a_longer_gap_up_to_an_hour() {
        let asked = |seconds| gap(1, 1.0, Some(Duration::from_secs(seconds))).as_secs();
        assert_eq!([asked(0), asked(30), asked(86_400)], [1, 30, 3_600]);
    }
}
