//! What only this visitor sees.

use super::connection_status::ConnectionStatus;
use crate::list::sort_filter::ListOptions;

/// What only this visitor sees.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "any of them may hold beside any other")]
pub(crate) struct UiState {
    /// The page's own connection.
    pub(crate) connection: ConnectionStatus,
    /// Why the last name was not taken.
    pub(crate) refusal: Option<String>,
    /// The field for another name is open.
    pub(crate) is_renaming: bool,
    /// What the visitor wants to see of the list, and in which order.
    pub(crate) options: ListOptions,
    /// Who comes and goes is not said aloud.
    pub(crate) is_muted: bool,
    /// Scripts run, and hear what the visitor asks for.
    pub(crate) is_interactive: bool,
    /// The name that this person had last time, in any room.
    pub(crate) remembered_name: Option<String>,
    /// In how many of this browser's tabs the room is shown, as far as they answered.
    pub(crate) tabs: usize,
    /// Why this person is listed no longer, where they did not ask for it here.
    pub(crate) departure_notice: Option<&'static str>,
    /// There is a line that says what happened while the list was not live.
    pub(crate) has_missed_something: bool,
}
