//! Which page of all rooms a request asks for. Pure.

use app::presence::RoomName;
use serde::Deserialize;

/// The most rooms of a page.
pub(crate) const MOST_ROOMS: usize = 1_000;

/// The most rooms of a request for counts: what a connection reads before it counts as a head without an end is 64 KiB.
pub(crate) const MOST_COUNTED: usize = 500;

/// The rooms of a page where the request says nothing else.
const DEFAULT_ROOMS: usize = 100;

/// The query of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PageQuery {
    limit: Option<String>,
    cursor: Option<String>,
}

/// A page of all rooms in the order of their names: rooms that come and go meanwhile move no others to another page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The page begins with the first room after this one. There may be no such room.
    pub(crate) after: Option<RoomName>,
    /// Its rooms at most.
    pub(crate) most: usize,
}

/// A query that asks for no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PageError {
    /// The number of rooms.
    #[error("The parameter limit is a number from 1 to {MOST_ROOMS}.")]
    Limit,
    /// Where the page begins.
    #[error("The parameter cursor is the next of the page before.")]
    Cursor,
}

impl TryFrom<PageQuery> for Page {
    type Error = PageError;

    fn try_from(query: PageQuery) -> Result<Self, PageError> {
        let most = match query.limit {
            None => DEFAULT_ROOMS,
            Some(text) => {
                let limit = text.parse().ok().filter(|limit| (1..=MOST_ROOMS).contains(limit));
                limit.ok_or(PageError::Limit)?
            }
        };
        let after = query.cursor.map(|text| text.parse()).transpose();
        Ok(Self { after: after.map_err(|_| PageError::Cursor)?, most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(limit: Option<&str>, cursor: Option<&str>) -> Result<Page, PageError> {
        let [limit, cursor] = [limit, cursor].map(|text| text.map(str::to_owned));
        PageQuery { limit, cursor }.try_into()
    }

    #[test]
    fn page_has_a_limit_and_begins_after_a_room() {
        assert_eq!(page(None, None), Ok(Page { after: None, most: 100 }));
        let after = Some("team-7".parse().unwrap());
        assert_eq!(page(Some("1000"), Some("team-7")), Ok(Page { after, most: 1_000 }));
        for limit in ["0", "1001", "-1", "ten", ""] {
            assert_eq!(page(Some(limit), None), Err(PageError::Limit), "{limit}");
        }
        for cursor in ["", "Team", "a b"] {
            assert_eq!(page(None, Some(cursor)), Err(PageError::Cursor), "{cursor}");
        }
    }
}
