//! What a socket knows of who may do what over it: nothing where every room is open.

use std::{net::IpAddr, sync::Arc};

use app::presence::RoomName;
use tokio::time::Instant;

use super::protocol::{self, Request, TokenFrames};
use crate::room_access::{AccessError, Permission, RoomAccess};
use registry::{hub::Membership, presence::request_error::RequestError};

/// Whether a socket may follow its room, and as whom.
#[derive(Debug)]
pub struct SocketAccess {
    access: Arc<RoomAccess>,
    room: RoomName,
    from: IpAddr,
    /// From the request of the upgrade, until a frame has a token; none if the room needs one.
    permission: Option<Permission>,
}

/// Why a new token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RefreshError {
    /// It does not permit to be here.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// It is another person's, whose row would take the place of this one.
    #[error("The new token is of another person. Open another connection for them.")]
    OtherPerson,
}

impl SocketAccess {
    /// Of a socket whose upgrade had this permission.
    pub(crate) fn new(
        access: Arc<RoomAccess>,
        room: RoomName,
        from: IpAddr,
        permission: Option<Permission>,
    ) -> Self {
        Self { access, room, from, permission }
    }

    /// Decides with a first frame whose socket this is.
    pub(crate) fn open(
        &mut self,
        frame: &str,
        membership: &mut Membership,
    ) -> Result<(), AccessError> {
        if let Some(token) = protocol::token_of(frame) {
            let permission = self.access.permit(&self.room, Some(&token), self.from)?;
            if let Some(user_id) = self.access.holder_id(&permission, &self.room) {
                membership.identify(user_id);
            }
            self.permission = Some(permission);
        }
        if self.permission.is_some() { Ok(()) } else { Err(AccessError::TokenMissing) }
    }

    /// Whether the client may replace its token.
    pub(crate) fn token_frames(&self) -> TokenFrames {
        if self.access.knows_tokens() { TokenFrames::Known } else { TokenFrames::Unknown }
    }

    /// Takes a new token in the place of the one before.
    pub(crate) fn refresh(&mut self, token: &str) -> Result<(), RefreshError> {
        let new = self.access.permit(&self.room, Some(token), self.from)?;
        let person = |permission: &Permission| permission.holder().map(|holder| holder.person);
        if self.permission.as_ref().and_then(person) != person(&new) {
            return Err(RefreshError::OtherPerson);
        }
        self.permission = Some(new);
        Ok(())
    }

    /// A request as this person may make it.
    pub(crate) fn permit(&self, request: Request) -> Result<Request, RequestError> {
        self.permission.as_ref().ok_or(RequestError::NotOpened)?.permit(request)
    }

    /// Whether this person may be listed.
    pub(crate) fn may_join(&self) -> bool {
        self.permission.as_ref().is_some_and(Permission::may_join)
    }

    /// The name that the token has, if it has one.
    pub(crate) fn fixed_name(&self) -> Option<&str> {
        self.permission.as_ref()?.fixed_name().map(app::presence::Name::as_str)
    }

    /// When the token is no longer accepted; none without one.
    pub(crate) fn ends_at(&self) -> Option<Instant> {
        self.permission.as_ref()?.ends_at()
    }
}
