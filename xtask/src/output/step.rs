//! Steps: what is being done, how long it took, how it ended.

use std::time::{Duration, Instant};

use crate::output::failure::Outcome;

/// Does one step: says what it is before and how long it took after.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    println!("> {what}");
    let begun = Instant::now();
    let outcome = work();
    let ending = if outcome.is_ok() { "done in" } else { "failed after" };
    println!("  {ending} {}", human(begun.elapsed()));
    outcome
}

/// Prints a note that belongs to the running step.
pub(crate) fn note(text: &str) {
    println!("  {text}");
}

/// Prints the time since the command began.
pub(crate) fn total(begun: Instant) {
    println!("total {}", human(begun.elapsed()));
}

/// A duration as people say it: tenths matter for seconds, not for minutes.
fn human(duration: Duration) -> String {
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
    fn durations_read_well() {
        assert_eq!(human(Duration::from_millis(42)), "0.04 s");
        assert_eq!(human(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(human(Duration::from_secs(372)), "6 min 12 s");
    }
}
