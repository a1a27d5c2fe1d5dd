//! What only the server renders: documents, the embed, the chart of the last hour.

pub(crate) mod activity;
mod asset_urls;
mod base_path;
pub(crate) mod copy_button;
mod document;
mod embed;
mod fingerprint;
mod host_page;
pub(crate) mod host_panel;
pub(crate) mod hour_chart;
mod link_preview;
pub(crate) mod new_room;
mod page_header;
mod print;
mod privacy;
mod rejected_page;
pub(crate) mod roll_sheet;
mod start_data;

pub use asset_urls::AssetUrls;
pub use base_path::{BasePath, BasePathError};
pub use document::{NotFound, not_found_document, shell};
pub use embed::{EmbedData, MOST_FACES, embed_document};
pub use host_page::{host_document, not_the_host_document};
pub use hour_chart::picture_of_the_past_hour;
pub use new_room::{NEW_ROOM, new_room_document};
pub use print::{PrintedList, PrintedPerson, print_document};
pub use privacy::{NamesPassedOn, RoomsKeptBy, UseOfNames, privacy_document};
pub use rejected_page::{RejectionCause, rejected_document};
pub use start_data::{COOKIE_CHECK, room_parts};

pub use crate::text::language::Language;
use crate::{
    list::{
        name_index::NameIndex,
        sort_filter::{self, ListOptions},
    },
    presence::{Roster, User, UserId},
};

/// How many people a wall shows at once.
pub const MOST_ON_WALL: usize = sort_filter::MOST_ON_WALL;

/// The ids of these people in the order in which a page shows them; none if an id occurs twice.
pub fn in_order_of_page(users: Vec<User>) -> Vec<UserId> {
    let roster = Roster::from_users(users).unwrap_or_default();
    ListOptions::default().arrange(&NameIndex::of(&roster), None, None)
}
