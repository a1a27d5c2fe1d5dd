//! Which rows of a list are shown, and in which order: pure functions, tested without a page.

mod ignorable;
pub(crate) mod lookalikes;
pub(crate) mod name_index;
pub(crate) mod name_key;
pub(crate) mod normalisation;
pub(crate) mod search_key;
pub(crate) mod sort_filter;
mod text_folding;
#[cfg(any(feature = "hydrate", feature = "recorded-values", test))]
pub(crate) mod virtual_scroll;
