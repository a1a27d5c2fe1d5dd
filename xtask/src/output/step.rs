//! Steps of a command: each is printed with its outcome and its duration.

use std::time::{Duration, Instant};

use crate::output::failure::Outcome;

/// Runs one step: prints its name before it, and its duration after it.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    println!("> {what}");
    let started_at = Instant::now();
    let outcome = work();
    let ending = if outcome.is_ok() { "done in" } else { "failed after" };
    println!("  {ending} {}", format_duration(started_at.elapsed()));
    outcome
}

/// Prints a remark on the running step.
pub(crate) fn note(text: &str) {
    println!("  {text}");
}

/// Prints the time since the command began.
pub(crate) fn total(started_at: Instant) {
    println!("total {}", format_duration(started_at.elapsed()));
}

/// Fractions are shown for seconds, not for minutes.
fn format_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.2} s", duration.as_secs_f64()),
        10..60 => format!("{:.1} s", duration.as_secs_f64()),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_formatted_with_fitting_precision() {
        assert_eq!(format_duration(Duration::from_millis(42)), "0.04 s");
        assert_eq!(format_duration(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(format_duration(Duration::from_secs(372)), "6 min 12 s");
    }
}
