//! Which rows of a long list are in the page: those that can be seen, and a few around them.

use std::ops::Range;

/// A list this long is in the page as a whole, so that the browser's own search finds everyone.
pub(crate) const VIRTUALIZE_ABOVE: usize = 120;

/// So many lines above and below what can be seen are there as well.
const OVERSCAN: usize = 4;

/// So many rows are made for one frame, if they do not all stand in one line.
///
/// Making a row, its style and its place take a slow machine about 0.6 ms: as many as there are in
/// a large window, made at once, would be felt.
const ROWS_PER_FRAME: usize = 24;

/// What of the list can be seen, in whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Viewport {
    /// How many rows stand side by side.
    pub(crate) columns: usize,
    /// How high a line is, with the gap below it.
    pub(crate) line_height: usize,
    /// How much of the list is above what can be seen.
    pub(crate) scroll_top: usize,
    /// How high the window is.
    pub(crate) height: usize,
}

impl Viewport {
    /// The rows that should be in the page, of so many in the list: whole lines, and never none.
    pub(crate) fn rows(&self, total: usize) -> Range<usize> {
        if total <= VIRTUALIZE_ABOVE {
            return 0..total;
        }
        let (columns, line_height) = (self.columns.max(1), self.line_height.max(1));
        let last_line = total.div_ceil(columns) - 1;
        let first_seen = (self.scroll_top / line_height).min(last_line);
        // Every second line only: then most of a scroll's events change nothing.
        let first = first_seen.saturating_sub(OVERSCAN) & !1;
        let lines = self.height / line_height + 2 * OVERSCAN + 3;
        let start = first * columns;
        start..total.min(start + lines * columns)
    }

    /// As many of the rows that should be in the page as can be made for the next frame: from the
    /// first that can be seen to the last, then those above it.
    ///
    /// Those that are there already take no time. What is left is for the frames that follow.
    pub(crate) fn rows_for_one_frame(
        &self,
        wanted: &Range<usize>,
        is_there: impl Fn(usize) -> bool,
    ) -> Range<usize> {
        let columns = self.columns.max(1);
        let mut left = ROWS_PER_FRAME.max(columns);
        let mut is_in_time = |line_height: Range<usize>| {
            let new = line_height.filter(|row| !is_there(*row)).count();
            let rest = left.checked_sub(new);
            left = rest.unwrap_or_default();
            rest.is_some()
        };
        let seen = (self.scroll_top / self.line_height.max(1)).saturating_mul(columns);
        let mut start = seen.clamp(wanted.start, wanted.end.saturating_sub(1).max(wanted.start));
        start -= (start - wanted.start) % columns;
        let mut end = start;
        while end < wanted.end {
            let next = wanted.end.min(end + columns);
            if !is_in_time(end..next) {
                return start..end;
            }
            end = next;
        }
        while start > wanted.start && is_in_time(start - columns..start) {
            start -= columns;
        }
        start..end
    }

    /// How much room the rows before and after these take, in pixels.
    pub(crate) fn spacers(&self, rows: &Range<usize>, total: usize) -> [usize; 2] {
        let lines = |count: usize| count.div_ceil(self.columns.max(1)) * self.line_height;
        [lines(rows.start), lines(total) - lines(rows.end)]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_sight() -> impl Strategy<Value = Viewport> {
        (0..8_usize, 1..200_usize, 0..2_000_000_usize, 0..3_000_usize).prop_map(
            |(columns, line_height, scroll_top, height)| Viewport {
                columns,
                line_height,
                scroll_top,
                height,
            },
        )
    }

    proptest! {
        /// What can be seen is there, and not much more than that.
        #[test]
        fn what_can_be_seen_is_there(sight in any_sight(), total in 0..20_000_usize) {
            let rows = sight.rows(total);
            prop_assert!(rows.start <= rows.end && rows.end <= total);
            prop_assert_eq!(rows.is_empty(), total == 0);
            if total <= VIRTUALIZE_ABOVE {
                prop_assert_eq!(rows, 0..total);
                return Ok(());
            }
            let columns = sight.columns.max(1);
            prop_assert_eq!(rows.start % columns, 0);
            let last_line = total.div_ceil(columns) - 1;
            let first_seen = (sight.scroll_top / sight.line_height).min(last_line);
            let last_seen = ((sight.scroll_top + sight.height) / sight.line_height).min(last_line);
            prop_assert!(rows.start <= first_seen * columns);
            prop_assert!(rows.end >= total.min((last_seen + 1) * columns));
            let seen = sight.height / sight.line_height + 1;
            prop_assert!(rows.len() <= (seen + 12) * columns);
        }

        /// Each frame brings some of what is wanted, and not too much; in the end all of it is there,
        /// and each time the page begins with what can be seen.
        #[test]
        fn frame_by_frame_all_rows_come(sight in any_sight(), total in 0..20_000_usize, were_there in 0..100_usize) {
            let wanted = sight.rows(total);
            let columns = sight.columns.max(1);
            let mut there = wanted.start..wanted.end.min(wanted.start + were_there);
            for _ in 0..=wanted.len() {
                let rows = sight.rows_for_one_frame(&wanted, |row| there.contains(&row));
                prop_assert!(wanted.start <= rows.start && rows.end <= wanted.end);
                prop_assert_eq!((rows.start - wanted.start) % columns, 0);
                prop_assert!(rows.end == wanted.end || (rows.end - rows.start).is_multiple_of(columns));
                let new = rows.clone().filter(|row| !there.contains(row)).count();
                prop_assert!(new <= ROWS_PER_FRAME.max(columns));
                prop_assert!(new > 0 || rows == wanted, "{:?} of {:?}", rows, wanted);
                there = rows;
                if there == wanted {
                    return Ok(());
                }
            }
            prop_assert!(false, "not all came: {:?} of {:?}", there, wanted);
        }

        /// The page is as high as if all rows were in it, and those that are stand where they would.
        #[test]
        fn the_room_around_is_that_of_the_other_rows(sight in any_sight(), total in 0..20_000_usize) {
            let rows = sight.rows(total);
            let columns = sight.columns.max(1);
            let [before, after] = sight.spacers(&rows, total);
            prop_assert_eq!(before, rows.start / columns * sight.line_height);
            let own = rows.len().div_ceil(columns) * sight.line_height;
            prop_assert_eq!(before + own + after, total.div_ceil(columns) * sight.line_height);
        }
    }

    #[test]
    fn a_little_scrolling_changes_nothing() {
        let sight = Viewport { columns: 3, line_height: 84, scroll_top: 84 * 10, height: 900 };
        let further = Viewport { scroll_top: 84 * 11 + 83, ..sight };
        assert_eq!(sight.rows(10_000), further.rows(10_000));
        assert_ne!(sight.rows(10_000), Viewport { scroll_top: 84 * 12, ..sight }.rows(10_000));
    }
}
