//! The chart of a room's last hour: how many people were here in each minute.

use crate::text::strings;

/// The most minutes that the chart shows.
const MOST_MINUTES: usize = 60;
/// The width of the chart in minutes at least: few minutes over the full width would exaggerate.
const LEAST_MINUTES: usize = 10;
/// The height in the SVG's own units; the style sheet sets the displayed size.
const HEIGHT: f64 = 20.0;

/// The chart and its caption, as HTML: the content of a `<figure>`.
///
/// `counts` has one count a minute, oldest first; the last one is the current minute and ends at the right
/// edge. `maximum` is the most in these minutes, of which the last count may be less. If all counts are 0 there is no
/// chart, and for a new room no caption either.
pub fn picture_of_the_past_hour(counts: &[u32], maximum: u32) -> String {
    let counts = &counts[counts.len().saturating_sub(MOST_MINUTES)..];
    let has_anyone = counts.iter().any(|count| *count > 0);
    let chart = if has_anyone { chart(counts) } else { String::new() };
    match strings::past_hour(counts, maximum) {
        words if words.is_empty() => words,
        words => format!("{chart}<figcaption>{words}</figcaption>"),
    }
}

/// The SVG: a line, and the area below it.
fn chart(counts: &[u32]) -> String {
    let width = counts.len().max(LEAST_MINUTES);
    let left = width - counts.len();
    let line = line(counts, width);
    format!(
        r#"<svg viewBox="0 0 {width} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true"><path class="area" d="M{left} {HEIGHT}V{line}V{HEIGHT}Z"/><path class="line" d="M{left} {line}"/></svg>"#
    )
}

/// The path of the line, from its first height on: a step where the count changes.
fn line(counts: &[u32], width: usize) -> String {
    let highest = f64::from(counts.iter().copied().max().unwrap_or_default().max(1));
    // One unit of margin, since a line on the edge would be clipped.
    let height = |count: u32| HEIGHT - 1.0 - f64::from(count) / highest * (HEIGHT - 2.0);
    let mut before = None;
    let steps = (width - counts.len()..).zip(counts).filter_map(|(minute, count)| {
        match before.replace(*count) {
            None => Some(format!("{:.2}", height(*count))),
            Some(before) if before == *count => None,
            Some(_) => Some(format!("H{minute}V{:.2}", height(*count))),
        }
    });
    steps.chain([format!("H{width}")]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The points of a path of steps: `M0 5H1V3`.
    fn points(path: &str) -> Vec<(f64, f64)> {
        let mut points = Vec::new();
        let (mut x, mut y) = (0.0, 0.0);
        let path = path.replace('M', " M").replace('H', " H").replace('V', " V");
        let mut words = path.split_whitespace();
        while let Some(word) = words.next() {
            let (kind, number) = word.split_at(1);
            match kind {
                "M" => {
                    x = number.parse().unwrap();
                    y = words.next().unwrap().parse().unwrap();
                }
                "H" => x = number.parse().unwrap(),
                "V" => y = number.parse().unwrap(),
                _ => panic!("{word} in {path}"),
            }
            points.push((x, y));
        }
        points
    }

    fn drawn_line(html: &str) -> Vec<(f64, f64)> {
        points(html.split(r#"class="line" d=""#).nth(1).unwrap().split('"').next().unwrap())
    }

    proptest! {
        /// The line's height at each minute is that minute's count, and it ends at the right edge.
        #[test]
        fn the_line_follows_the_counts(
            counts in prop::collection::vec(prop_oneof![0..6_u32, any::<u32>()], 1..90),
        ) {
            let shown = &counts[counts.len().saturating_sub(MOST_MINUTES)..];
            let html = picture_of_the_past_hour(&counts, counts.iter().copied().max().unwrap_or_default());
            if shown.iter().all(|count| *count == 0) {
                prop_assert!(!html.contains("<svg"), "{html}");
                return Ok(());
            }
            let points = drawn_line(&html);
            let width = shown.len().max(LEAST_MINUTES);
            let view = format!(r#"viewBox="0 0 {width} 20""#);
            prop_assert!(html.contains(&view), "{html}");
            let highest = f64::from((*shown.iter().max().unwrap()).max(1));
            for (minute, count) in (width - shown.len()..).zip(shown) {
                let middle = f64::from(u32::try_from(minute).unwrap()) + 0.5;
                // The last point at or before it has the line's height there.
                let (_, y) = points.iter().rev().find(|(x, _)| *x <= middle).unwrap();
                let expected = 19.0 - f64::from(*count) / highest * 18.0;
                prop_assert!((y - expected).abs() < 0.006, "{count} at {minute}: {y}");
            }
            prop_assert!((points.last().unwrap().0 - f64::from(u32::try_from(width).unwrap())).abs() < 0.001);
            prop_assert!(points.iter().all(|(_, y)| (1.0..=19.0).contains(y)));
        }
    }

    #[test]
    fn the_caption_has_the_maximum_and_claims_nothing_of_the_time_between_the_counts() {
        let words = |counts: &[u32], maximum| {
            let html = picture_of_the_past_hour(counts, maximum);
            html.split("<figcaption>").nth(1).unwrap().replace("</figcaption>", "")
        };
        assert_eq!(words(&[4; 60], 4), "Last hour: up to 4 people at once, now 4");
        assert_eq!(words(&[1; 90], 1), "Last hour: up to 1 person at once, now 1");
        let mut hour = [1_204; 60];
        hour[7] = 4;
        assert_eq!(words(&hour, 1_204), "Last hour: up to 1,204 people at once, now 1,204");
        assert_eq!(words(&[0, 15, 13], 15), "Last 3 min: up to 15 people at once, now 13");
        assert_eq!(words(&[2], 2), "Last minute: up to 2 people at once, now 2");
        assert_eq!(words(&[0, 0], 0), "Last 2 min: nobody");
        // Somebody who left again in the last minute.
        assert_eq!(words(&[0, 0], 1), "Last 2 min: up to 1 person at once, now 0");
        assert_eq!(words(&[0], 1), "Last minute: up to 1 person at once, now 0");
    }

    #[test]
    fn a_new_room_has_no_chart() {
        for counts in [&[][..], &[0]] {
            assert_eq!(picture_of_the_past_hour(counts, 0), "");
        }
    }
}
