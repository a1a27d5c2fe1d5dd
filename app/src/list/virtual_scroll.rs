//! Virtual scrolling: which rows of a long list are in the page.

use std::ops::Range;

/// A list of up to so many rows is rendered as a whole, so that the browser's own search finds everyone.
pub(crate) const VIRTUALIZE_ABOVE: usize = 120;

/// How many lines above and below the visible ones are rendered as well.
const OVERSCAN: usize = 4;

/// How many new rows are rendered in one animation frame, or one line if that has more.
///
/// Creating, styling and laying out a row takes a slow machine about 0.6 ms: all rows of a large window
/// in one frame would cause a noticeable delay.
const ROWS_PER_FRAME: usize = 24;

/// The visible part of the list, in whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Viewport {
    /// How many rows are side by side in a line.
    pub(crate) columns: usize,
    /// The height of a line, with the gap below it.
    pub(crate) line_height: usize,
    /// How far the list is scrolled above the window's top.
    pub(crate) scroll_top: usize,
    /// The height of the window.
    pub(crate) height: usize,
}

impl Viewport {
    /// The rows that should be rendered of a list of `total`: whole lines, and at least one.
    pub(crate) fn rows(&self, total: usize) -> Range<usize> {
        if total <= VIRTUALIZE_ABOVE {
            return 0..total;
        }
        let (columns, line_height) = (self.columns.max(1), self.line_height.max(1));
        let last_line = total.div_ceil(columns) - 1;
        let first_seen = (self.scroll_top / line_height).min(last_line);
        // Only even lines start the range: then most scroll events change nothing.
        let first = first_seen.saturating_sub(OVERSCAN) & !1;
        let lines = self.height / line_height + 2 * OVERSCAN + 3;
        let start = first * columns;
        start..total.min(start + lines * columns)
    }

    /// As many of the wanted rows as can be rendered in the next animation frame: from the first visible
    /// one down, then those above it.
    ///
    /// Rows that are rendered already cost nothing. The remaining rows follow in later frames.
    pub(crate) fn rows_for_one_frame(
        &self,
        wanted: &Range<usize>,
        is_rendered: impl Fn(usize) -> bool,
    ) -> Range<usize> {
        let columns = self.columns.max(1);
        let mut budget = ROWS_PER_FRAME.max(columns);
        let mut fits = |rows: Range<usize>| {
            let new = rows.filter(|row| !is_rendered(*row)).count();
            let rest = budget.checked_sub(new);
            budget = rest.unwrap_or_default();
            rest.is_some()
        };
        let seen = (self.scroll_top / self.line_height.max(1)).saturating_mul(columns);
        let mut start = seen.clamp(wanted.start, wanted.end.saturating_sub(1).max(wanted.start));
        start -= (start - wanted.start) % columns;
        let mut end = start;
        while end < wanted.end {
            let next = wanted.end.min(end + columns);
            if !fits(end..next) {
                return start..end;
            }
            end = next;
        }
        while start > wanted.start && fits(start - columns..start) {
            start -= columns;
        }
        start..end
    }

    /// The heights of the rows before and after the rendered ones, in pixels.
    pub(crate) fn spacers(&self, rows: &Range<usize>, total: usize) -> [usize; 2] {
        let lines = |count: usize| count.div_ceil(self.columns.max(1)) * self.line_height;
        [lines(rows.start), lines(total) - lines(rows.end)]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_viewport() -> impl Strategy<Value = Viewport> {
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
        /// All visible rows are rendered, and not many more.
        #[test]
        fn visible_rows_are_rendered(viewport in any_viewport(), total in 0..20_000_usize) {
            let rows = viewport.rows(total);
            prop_assert!(rows.start <= rows.end && rows.end <= total);
            prop_assert_eq!(rows.is_empty(), total == 0);
            if total <= VIRTUALIZE_ABOVE {
                prop_assert_eq!(rows, 0..total);
                return Ok(());
            }
            let columns = viewport.columns.max(1);
            prop_assert_eq!(rows.start % columns, 0);
            let last_line = total.div_ceil(columns) - 1;
            let first_seen = (viewport.scroll_top / viewport.line_height).min(last_line);
            let last_seen = ((viewport.scroll_top + viewport.height) / viewport.line_height).min(last_line);
            prop_assert!(rows.start <= first_seen * columns);
            prop_assert!(rows.end >= total.min((last_seen + 1) * columns));
            let seen = viewport.height / viewport.line_height + 1;
            prop_assert!(rows.len() <= (seen + 12) * columns);
        }

        /// Each frame renders some of the wanted rows and no more than the budget; in the end all are
        /// rendered.
        #[test]
        fn all_wanted_rows_are_rendered_frame_by_frame(viewport in any_viewport(), total in 0..20_000_usize, already_rendered in 0..100_usize) {
            let wanted = viewport.rows(total);
            let columns = viewport.columns.max(1);
            let mut rendered = wanted.start..wanted.end.min(wanted.start + already_rendered);
            for _ in 0..=wanted.len() {
                let rows = viewport.rows_for_one_frame(&wanted, |row| rendered.contains(&row));
                prop_assert!(wanted.start <= rows.start && rows.end <= wanted.end);
                prop_assert_eq!((rows.start - wanted.start) % columns, 0);
                prop_assert!(rows.end == wanted.end || (rows.end - rows.start).is_multiple_of(columns));
                let new = rows.clone().filter(|row| !rendered.contains(row)).count();
                prop_assert!(new <= ROWS_PER_FRAME.max(columns));
                prop_assert!(new > 0 || rows == wanted, "{:?} of {:?}", rows, wanted);
                rendered = rows;
                if rendered == wanted {
                    return Ok(());
                }
            }
            prop_assert!(false, "not all came: {:?} of {:?}", rendered, wanted);
        }

        /// The page is as high as if all rows were rendered, and the rendered ones are at the same places.
        #[test]
        fn spacers_have_the_height_of_the_other_rows(viewport in any_viewport(), total in 0..20_000_usize) {
            let rows = viewport.rows(total);
            let columns = viewport.columns.max(1);
            let [before, after] = viewport.spacers(&rows, total);
            prop_assert_eq!(before, rows.start / columns * viewport.line_height);
            let own = rows.len().div_ceil(columns) * viewport.line_height;
            prop_assert_eq!(before + own + after, total.div_ceil(columns) * viewport.line_height);
        }
    }

    #[test]
    fn scrolling_by_less_than_two_lines_changes_nothing() {
        let viewport = Viewport { columns: 3, line_height: 84, scroll_top: 84 * 10, height: 900 };
        let further = Viewport { scroll_top: 84 * 11 + 83, ..viewport };
        assert_eq!(viewport.rows(10_000), further.rows(10_000));
        assert_ne!(
            viewport.rows(10_000),
            Viewport { scroll_top: 84 * 12, ..viewport }.rows(10_000)
        );
    }
}
