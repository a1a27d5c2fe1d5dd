//! The summary of a test run: the slowest tests, the counts of each runner, and their sum.

use std::collections::BTreeMap;
use std::fmt;

/// The results of all runners.
#[derive(Debug, Default)]
pub(crate) struct TestSummary {
    runners: Vec<Runner>,
}

/// How many of the slowest tests are listed.
const SLOWEST: usize = 10;

/// The result of one runner (nextest, `cargo test`, Node or Playwright).
#[derive(Debug)]
pub(crate) struct Runner {
    name: String,
    /// Its own summary lines.
    summary: Vec<String>,
    counts: Counts,
    /// Playwright prints one line for each kind of outcome; a later line of the same kind replaces it.
    browser: Vec<(String, u32)>,
    /// Each test that the runner timed.
    timed: Vec<TimedTest>,
}

/// A test and how long it took, in seconds.
#[derive(Debug, Clone, PartialEq)]
struct TimedTest {
    seconds: f64,
    name: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    passed: u32,
    failed: u32,
}

impl TestSummary {
    /// Adds the result of a finished runner.
    pub(crate) fn add(&mut self, runner: Runner) {
        self.runners.push(runner);
    }

    /// Whether nothing failed.
    pub(crate) fn is_good(&self) -> bool {
        self.total().failed == 0
    }

    fn total(&self) -> Counts {
        self.runners.iter().fold(Counts::default(), |sum, runner| Counts {
            passed: sum.passed + runner.counts.passed,
            failed: sum.failed + runner.counts.failed,
        })
    }
}

impl Runner {
    /// A runner without any output yet.
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            summary: Vec::new(),
            counts: Counts::default(),
            browser: Vec::new(),
            timed: Vec::new(),
        }
    }

    /// A runner that was not started. Without it the run is as good as with it, unless that is a `failure`.
    pub(crate) fn not_started(name: impl Into<String>, why: &str, failure: bool) -> Self {
        let mut runner = Self::new(name);
        runner.summary.push(format!("skipped: {why}"));
        runner.counts.failed = u32::from(failure);
        runner
    }

    /// Reads a line of the output of nextest. Only its summary is counted: the output that it shows of a
    /// failed test has a `test result:` line of its own.
    pub(crate) fn observe_nextest(&mut self, line: &str) {
        let line = without_colours(line);
        // A failure is shown twice: when it happens, and at the end.
        if let Some(test) = nextest_test(&line)
            && !self.timed.contains(&test)
        {
            self.timed.push(test);
        }
        if let Some(counts) = nextest_counts(&line) {
            self.counts = counts;
            self.summary = vec![line.trim().to_owned()];
        }
    }

    /// Reads a line of the output of `cargo test`.
    pub(crate) fn observe_cargo(&mut self, line: &str) {
        let line = without_colours(line);
        let Some(counts) = cargo_counts(&line) else {
            return;
        };
        self.counts.passed += counts.passed;
        self.counts.failed += counts.failed;
        // Binaries without tests are left out: their lines would hide the others.
        if counts != Counts::default() {
            self.summary.push(line.trim().to_owned());
        }
    }

    /// Reads a line of Playwright's output, of which only the closing summary counts.
    pub(crate) fn observe_playwright(&mut self, line: &str) {
        let line = without_colours(line);
        self.timed.extend(playwright_test(&line));
        let Some((number, kind)) = playwright_count(&line) else {
            return;
        };
        self.browser.retain(|(other, _number)| other != kind);
        self.browser.push((kind.to_owned(), number));
    }

    /// Reads a line of the summary of Node's test runner: `ℹ pass 12`.
    pub(crate) fn observe_node(&mut self, line: &str) {
        let line = without_colours(line);
        let Some((kind, count)) = line.strip_prefix("ℹ ").and_then(|line| line.split_once(' '))
        else {
            return;
        };
        let count = count.parse().unwrap_or(0);
        match kind {
            "pass" => self.counts.passed = count,
            "fail" | "cancelled" => self.counts.failed += count,
            _ => return,
        }
        self.summary.push(line);
    }

    /// Ends the runner. One that failed without a failed test counts as one failure: it broke off earlier.
    pub(crate) fn end(mut self, succeeded: bool) -> Self {
        for (kind, number) in &self.browser {
            self.summary.push(format!("{number} {kind}"));
            match kind.as_str() {
                // A flaky test passed in the end.
                "passed" | "flaky" => self.counts.passed += number,
                "failed" | "interrupted" => self.counts.failed += number,
                _ => {}
            }
        }
        if !self.browser.is_empty() {
            self.summary.extend(time_by_project(&self.timed));
        }
        if !succeeded && self.counts.failed == 0 {
            self.counts.failed = 1;
            self.summary.push("did not finish: see its output above".to_owned());
        } else if self.summary.is_empty() {
            self.summary.push("no tests".to_owned());
        }
        self
    }
}

impl fmt::Display for TestSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut timed: Vec<_> = self.runners.iter().flat_map(|runner| &runner.timed).collect();
        timed.sort_by(|one, other| other.seconds.total_cmp(&one.seconds));
        if !timed.is_empty() {
            writeln!(formatter, "slowest tests")?;
        }
        for TimedTest { seconds, name } in timed.into_iter().take(SLOWEST) {
            writeln!(formatter, "  {seconds:>6.1} s  {name}")?;
        }
        for runner in &self.runners {
            writeln!(formatter, "{}", runner.name)?;
            for line in &runner.summary {
                writeln!(formatter, "  {line}")?;
            }
        }
        let Counts { passed, failed } = self.total();
        write!(formatter, "{passed} passed, {failed} failed")
    }
}

/// Reads `test result: ok. 12 passed; 0 failed; …`.
fn cargo_counts(line: &str) -> Option<Counts> {
    let (_verdict, counts) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
    let of = |kind: &str| {
        counts.split("; ").find_map(|count| count.strip_suffix(kind)?.trim().parse().ok())
    };
    Some(Counts { passed: of("passed")?, failed: of("failed")? })
}

/// Reads `Summary [  12.345s] 70 tests run: 68 passed (2 slow), 2 failed, 1 skipped`.
fn nextest_counts(line: &str) -> Option<Counts> {
    let (_time, counts) = line.trim().strip_prefix("Summary [")?.split_once("run: ")?;
    let of = |kind: &str| {
        let number = |count: &str| {
            let (number, rest) = count.split_once(' ')?;
            rest.starts_with(kind).then(|| number.parse().ok())?
        };
        counts.split(", ").find_map(number).unwrap_or(0)
    };
    Some(Counts { passed: of("passed"), failed: of("failed") + of("timed out") })
}

/// Reads `PASS [   1.234s] (12/70) server::it resume::a_test`.
fn nextest_test(line: &str) -> Option<TimedTest> {
    let (status, rest) = line.trim().split_once(" [")?;
    let (seconds, name) = rest.split_once("s] ")?;
    let is_result = ["PASS", "FAIL", "TIMEOUT"].contains(&status.trim());
    let seconds = seconds.trim().parse().ok()?;
    is_result.then(|| TimedTest { seconds, name: name.trim().to_owned() })
}

/// Reads `  ✓  12 [pages] › wall.spec.ts:3:1 › a title (1.2s)`; the time may be in `ms` or `m`.
fn playwright_test(line: &str) -> Option<TimedTest> {
    let (name, time) = line.trim().strip_suffix(')')?.rsplit_once(" (")?;
    let (_number, name) = name.split_once('[')?;
    let seconds = if let Some(milliseconds) = time.strip_suffix("ms") {
        milliseconds.parse::<f64>().ok()? / 1_000.0
    } else if let Some(minutes) = time.strip_suffix('m') {
        minutes.parse::<f64>().ok()? * 60.0
    } else {
        time.strip_suffix('s')?.parse().ok()?
    };
    name.contains(".ts:").then(|| TimedTest { seconds, name: format!("[{name}") })
}

/// How long the tests of each of Playwright's projects took together. Workers run side by side, so the run
/// takes less.
fn time_by_project(timed: &[TimedTest]) -> Vec<String> {
    let mut seconds = BTreeMap::<&str, f64>::new();
    for test in timed {
        let (project, _test) = test.name.split_once(" › ").unwrap_or(("", &test.name));
        *seconds.entry(project).or_default() += test.seconds;
    }
    seconds.iter().map(|(project, seconds)| format!("{seconds:.1} s of tests {project}")).collect()
}

/// Reads `  12 passed (34.5s)`, `  1 failed`, `  2 did not run`.
fn playwright_count(line: &str) -> Option<(u32, &str)> {
    let (number, rest) = line.strip_prefix("  ")?.split_once(' ')?;
    let kind = rest.split(" (").next().unwrap_or(rest);
    ["passed", "failed", "flaky", "skipped", "did not run", "interrupted"]
        .contains(&kind)
        .then_some((number.parse().ok()?, kind))
}

/// A line without terminal colours (`ESC [ … letter`).
fn without_colours(line: &str) -> String {
    let mut plain = String::new();
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            characters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cargo(lines: &[&str], succeeded: bool) -> Runner {
        let mut runner = Runner::new("cargo test");
        for line in lines {
            runner.observe_cargo(line);
        }
        runner.end(succeeded)
    }

    fn nextest(lines: &[&str], succeeded: bool) -> Runner {
        let mut runner = Runner::new("cargo nextest run");
        for line in lines {
            runner.observe_nextest(line);
        }
        runner.end(succeeded)
    }

    fn playwright(lines: &[&str], succeeded: bool) -> Runner {
        let mut runner = Runner::new("playwright");
        for line in lines {
            runner.observe_playwright(line);
        }
        runner.end(succeeded)
    }

    #[test]
    fn last_line_is_the_sum_of_all_runners() {
        let mut summary = TestSummary::default();
        summary.add(cargo(
            &[
                "running 3 tests",
                "test a ... ok",
                "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; \
                 finished in 0.01s",
                "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; \
                 finished in 0.00s",
                "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; \
                 finished in 0.05s",
            ],
            false,
        ));
        summary.add(playwright(&["  10 passed (12.3s)"], true));
        assert!(!summary.is_good());
        let text = summary.to_string();
        assert_eq!(text.lines().last(), Some("17 passed, 2 failed"));
        assert_eq!(text.matches("test result:").count(), 2, "{text}");
    }

    #[test]
    fn playwright_counts_come_from_its_summary_only() {
        let runner = playwright(
            &[
                "  1 passed",
                "Running 9 tests using 2 workers",
                "  9 lives",
                "\u{1b}[31m  1 failed\u{1b}[39m",
                "\u{1b}[33m  2 flaky\u{1b}[39m",
                "  3 did not run",
                "\u{1b}[32m  4 passed\u{1b}[39m\u{1b}[2m (5.6s)\u{1b}[22m",
            ],
            false,
        );
        assert_eq!(runner.counts, Counts { passed: 6, failed: 1 });
    }

    #[test]
    fn counts_of_node_come_from_its_summary() {
        let mut runner = Runner::new("node");
        let lines = [
            "✔ a test (1 ms)",
            "ℹ a.js: 12 bytes",
            "ℹ tests 12",
            "ℹ pass 9",
            "ℹ fail 2",
            "ℹ cancelled 1",
        ];
        for line in lines {
            runner.observe_node(line);
        }
        assert_eq!(runner.end(false).counts, Counts { passed: 9, failed: 3 });
    }

    #[test]
    fn nextest_is_counted_and_its_slowest_tests_come_first() {
        let mut summary = TestSummary::default();
        summary.add(nextest(
            &[
                "        PASS [   0.005s] ( 1/70) app presence::name::tests::a",
                "        SLOW [> 60.000s] ( 2/70) registry hub::life_model::b",
                "        FAIL [   0.500s] ( 3/70) registry hub::c",
                "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 9 filtered out",
                "        PASS [  61.250s] ( 2/70) registry hub::life_model::b",
                "     Summary [  62.345s] 70 tests run: 68 passed (1 slow), 2 failed, 1 skipped",
                "        FAIL [   0.500s] ( 3/70) registry hub::c",
                "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 9 filtered out",
            ],
            false,
        ));
        summary.add(playwright(
            &[
                "  ✓   1 [pages] › wall.spec.ts:3:1 › a title (of two) (1.1m)",
                "  ✓   2 [pages] › page.spec.ts:3:1 › another (512ms)",
                "  Slow test file: [pages] › page.spec.ts (10.2m)",
                "  2 passed (1.2m)",
            ],
            true,
        ));
        let text = summary.to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], "    66.0 s  [pages] › wall.spec.ts:3:1 › a title (of two)");
        assert_eq!(lines[2], "    61.2 s  ( 2/70) registry hub::life_model::b");
        assert_eq!(text.matches("hub::c").count(), 1, "{text}");
        assert_eq!(lines.last(), Some(&"70 passed, 2 failed"), "{text}");
    }

    #[test]
    fn time_of_playwright_tests_is_summed_by_project() {
        let runner = playwright(
            &[
                "  ✓   1 [pages] › wall.spec.ts:3:1 › a title (1.5s)",
                "  ✓   2 [firefox] › firefox/embed.spec.ts:3:1 › another (512ms)",
                "  ✘   3 [firefox] › firefox/embed.spec.ts:9:1 › a third (1.0m)",
                "  1 failed",
                "  2 passed (1.2m)",
            ],
            false,
        );
        assert_eq!(
            runner.summary,
            ["1 failed", "2 passed", "60.5 s of tests [firefox]", "1.5 s of tests [pages]"]
        );
    }

    #[test]
    fn unfinished_runner_counts_as_failed() {
        let mut summary = TestSummary::default();
        summary.add(cargo(&["error: could not compile `app`"], false));
        assert_eq!(summary.to_string().lines().last(), Some("0 passed, 1 failed"));
    }

    #[test]
    fn skipped_runner_is_shown_and_may_count_as_failed() {
        for failure in [false, true] {
            let mut summary = TestSummary::default();
            summary.add(Runner::not_started(
                "the tests of a cluster",
                "there is no engine",
                failure,
            ));
            assert_eq!(summary.is_good(), !failure);
            assert!(summary.to_string().contains("  skipped: there is no engine\n"), "{summary}");
        }
    }

    #[test]
    fn runner_without_tests_is_shown_as_such() {
        let mut summary = TestSummary::default();
        summary.add(cargo(&[], true));
        assert!(summary.is_good());
        assert!(summary.to_string().contains("no tests"));
    }
}
