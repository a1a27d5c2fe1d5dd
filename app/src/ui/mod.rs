//! The page of a room, in Leptos, the same on both sides.
//!
//! `Board` is what the page shows, as signals; the views draw it and put what the visitor
//! asks for into it. Everything that decides is a pure module with its tests; everything that needs
//! a browser is in `live`, which hydrates the page part by part. The first pass of both sides
//! draws the same nodes from the same [`RoomPage`]: no clock, no locale, no randomness.

#![cfg_attr(
    not(feature = "hydrate"),
    allow(
        dead_code,
        reason = "the server draws the first pass; what changes a board is the browser's"
    )
)]

mod absence;
mod activity;
mod announcements;
mod announcer;
mod arrangement;
mod avatar;
mod banner;
mod board;
mod command;
mod connection;
mod dom;
mod dynamic;
mod elapsed;
#[cfg(feature = "ssr")]
mod embed;
mod folding;
mod frame;
mod head;
mod json;
mod name_form;
mod name_key;
mod namesakes;
mod news;
mod note;
mod page;
mod page_data;
#[cfg(feature = "ssr")]
mod past_hour;
mod register;
mod roster_list;
mod row;
mod row_state;
#[cfg(feature = "ssr")]
mod server_data;
mod server_drawn;
mod texts;
mod ui_state;
#[cfg(any(feature = "hydrate", test))]
mod window;
mod wish;
mod you;

#[cfg(feature = "hydrate")]
mod live;
#[cfg(any(feature = "hydrate", test))]
mod new_room;
#[cfg(feature = "ssr")]
mod page_files;
#[cfg(feature = "ssr")]
mod privacy;
mod session;
#[cfg(feature = "ssr")]
mod shell;
#[cfg(test)]
mod tests;

/// The page's side of the conversation, without a page or a browser: what plays one uses this.
pub mod client {
    pub use super::{
        absence::{Absence, Departed, EndOfRow},
        frame::{read_frame, write_frame},
        json::Unreadable,
        session::{Outcome, Session, Surroundings, Unlisted},
        wish::Wish,
    };
}

#[cfg(feature = "ssr")]
pub use embed::{MOST_FACES, embed_document};
#[cfg(feature = "hydrate")]
pub use live::hydrate;
pub use page_data::RoomPage;
#[cfg(feature = "ssr")]
pub use page_files::PageFiles;
#[cfg(feature = "ssr")]
pub use past_hour::picture_of_the_past_hour;
#[cfg(feature = "ssr")]
pub use privacy::privacy_document;
#[cfg(feature = "ssr")]
pub use server_data::{Look, ServerDrawn};
#[cfg(feature = "ssr")]
pub use shell::{not_found_document, shell};
