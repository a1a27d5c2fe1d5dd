//! A request to be listed, before and after it is checked.

use app::presence::{Name, Since, TabId};
use serde::{Deserialize, Serialize};

use super::{
    name_validation::{self, NameValidationError},
    stored::whole_name,
    tab_key::ConnectionId,
};

/// What a client sends in order to be listed: the content of `got_a_new_user`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRequest {
    /// The name as it was typed.
    pub name: String,
    /// The page instance; a socket without one is a tab of its own.
    pub tab: Option<TabId>,
    /// Whether the page is visible.
    pub is_visible: bool,
    /// Whether the frame is the socket's first.
    pub kind: JoinKind,
    /// The position of the client's list; it counts in a first frame only.
    pub since: Option<Since>,
}

/// Whether `got_a_new_user` is a socket's first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinKind {
    /// The first frame: it never renames a person who is listed.
    Opening,
    /// A later frame: it renames.
    Repeat,
}

/// A tab that joins a room, with a name that is valid.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Join {
    /// The name, as it will be shown.
    #[serde(with = "whole_name")]
    pub name: Name,
    /// The tab that will stand behind the row; a socket without one is a tab of its own.
    pub tab: Option<TabId>,
    /// The tab's socket.
    pub connection: ConnectionId,
    /// Whether the page is visible.
    pub is_visible: bool,
}

impl Join {
    /// Checks what was requested over `connection`.
    pub fn from_request(
        request: JoinRequest,
        connection: ConnectionId,
    ) -> Result<Self, NameValidationError> {
        // The command has the kind beside the join, and `since` is for the caller, who knows the log.
        let JoinRequest { name, tab, is_visible, kind: _, since: _ } = request;
        let name = name_validation::validate(&name)?;
        Ok(Self { name, tab, connection, is_visible })
    }
}
