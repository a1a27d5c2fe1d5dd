//! The picture of a room: how many were here, minute by minute, over the last hour.

use crate::text::strings;

/// How many minutes the picture is wide at most.
const MINUTES: usize = 60;
/// How many it is wide at least: wider steps would make much of little.
const LEAST_MINUTES: usize = 10;
/// How high it is, in units of its own: the style sheet says how large it is shown.
const HEIGHT: f64 = 20.0;

/// The picture and what it says, as HTML: the inside of a `<figure>`.
///
/// `counts` are one a minute, the oldest first, and the last is of now: time runs to the right edge.
/// Where nobody was there is nothing to draw, and of a room that is new there is nothing to say either.
pub fn picture_of_the_past_hour(counts: &[u32]) -> String {
    let counts = &counts[counts.len().saturating_sub(MINUTES)..];
    let is_anybody = counts.iter().any(|count| *count > 0);
    let picture = if is_anybody { picture(counts) } else { String::new() };
    match strings::past_hour(counts) {
        words if words.is_empty() => words,
        words => format!("{picture}<figcaption>{words}</figcaption>"),
    }
}

/// The line, and what is below it.
fn picture(counts: &[u32]) -> String {
    let width = counts.len().max(LEAST_MINUTES);
    let left = width - counts.len();
    let line = line(counts, width);
    format!(
        r#"<svg viewBox="0 0 {width} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true"><path class="area" d="M{left} {HEIGHT}V{line}V{HEIGHT}Z"/><path class="line" d="M{left} {line}"/></svg>"#
    )
}

/// A step for each minute in which the count was another, from the first height on.
fn line(counts: &[u32], width: usize) -> String {
    let highest = f64::from(counts.iter().copied().max().unwrap_or_default().max(1));
    // A line on the very edge would be cut in half.
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
        /// At each minute the line is as high as the count of that minute says, and it ends now.
        #[test]
        fn the_line_says_what_the_counts_say(
            counts in prop::collection::vec(prop_oneof![0..6_u32, any::<u32>()], 1..90),
        ) {
            let shown = &counts[counts.len().saturating_sub(MINUTES)..];
            let html = picture_of_the_past_hour(&counts);
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
                // The last point at or before it says how high the line is there.
                let (_, y) = points.iter().rev().find(|(x, _)| *x <= middle).unwrap();
                let expected = 19.0 - f64::from(*count) / highest * 18.0;
                prop_assert!((y - expected).abs() < 0.006, "{count} at {minute}: {y}");
            }
            prop_assert!((points.last().unwrap().0 - f64::from(u32::try_from(width).unwrap())).abs() < 0.001);
            prop_assert!(points.iter().all(|(_, y)| (1.0..=19.0).contains(y)));
        }
    }

    #[test]
    fn the_words_say_the_same() {
        let words = |counts: &[u32]| {
            let html = picture_of_the_past_hour(counts);
            html.split("<figcaption>").nth(1).unwrap().replace("</figcaption>", "")
        };
        assert_eq!(words(&[4; 60]), "4 people all through the last hour");
        assert_eq!(words(&[1; 90]), "1 person all through the last hour");
        let mut hour = [1_204; 60];
        hour[7] = 4;
        assert_eq!(words(&hour), "4 to 1,204 people in the last hour");
        assert_eq!(words(&[0, 1, 3]), "0 to 3 people in the last 3 min");
        assert_eq!(words(&[0, 1]), "0 to 1 people in the last 2 min");
        assert_eq!(words(&[2]), "2 people in the last minute");
        assert_eq!(words(&[0, 0]), "Nobody in the last 2 min");
    }

    #[test]
    fn of_a_room_that_is_new_there_is_nothing_to_say() {
        for counts in [&[][..], &[0]] {
            assert_eq!(picture_of_the_past_hour(counts), "");
        }
    }
}
