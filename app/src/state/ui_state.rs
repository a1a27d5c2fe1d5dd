//! The visitor's own part of the page's state.

use super::connection_status::ConnectionStatus;
use crate::list::sort_filter::ListOptions;

/// The visitor's own part of the page's state.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub(crate) struct UiState {
    /// The connection's status.
    pub(crate) connection: ConnectionStatus,
    /// Why the last request was refused.
    pub(crate) refusal: Option<String>,
    /// Somebody else in the list has the name in the form.
    pub(crate) is_name_taken: bool,
    /// The form for a new name is open.
    pub(crate) is_renaming: bool,
    /// How the list is sorted and filtered.
    pub(crate) options: ListOptions,
    /// Announcements of joins and departures are muted.
    pub(crate) is_muted: bool,
    /// Scripts run and carry out commands.
    pub(crate) is_interactive: bool,
    /// The name that this person used last, in any room.
    pub(crate) remembered_name: Option<String>,
    /// Why this person is not listed any more, if this page did not ask for it.
    pub(crate) departure_notice: Option<&'static str>,
    /// How many people came while the visitor looked at a part of the list further down.
    pub(crate) new_above: usize,
    /// The "while you were offline" line is shown.
    pub(crate) has_missed_something: bool,
}
