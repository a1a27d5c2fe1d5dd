//! What the token of a client decides: whose socket it is, under which name, and until when.

use app::presence::{Refusal, RefusalCode};
use tokio::time::Instant;

use super::{Connection, close::CloseReason};
use crate::{
    admission::Payer,
    room_access::AccessError,
    websocket::{access::RefreshError, transport::Socket},
};
use registry::presence::request_error::RequestError;

impl<S: Socket, P: Payer> Connection<S, P> {
    /// A first frame says whose socket this is, and whether it may follow the room.
    pub(super) fn check_first_frame(&mut self, text: &str) -> Result<(), CloseReason> {
        match &mut self.access {
            Some(access) => {
                access.open(text, &mut self.membership).map_err(CloseReason::NotPermitted)
            }
            None => Ok(()),
        }
    }

    /// The client has a new token. If that is refused, the one before counts for as long as it is valid.
    ///
    /// # Errors
    /// If its address sent too many invalid tokens.
    pub(super) fn refresh_token(&mut self, token: &str) -> Result<(), CloseReason> {
        let of = Some("token".into());
        let Some(access) = &mut self.access else {
            self.refuse(RequestError::BadFrame.to_refusal(Some("token")));
            return Ok(());
        };
        match access.refresh(token) {
            Ok(()) if access.may_join() => self.list_under_fixed_name(),
            // A row that this client could not change any more would stay until it is gone.
            Ok(()) => self.membership.leave(),
            Err(RefreshError::Access(error @ AccessError::TooManyInvalid(_))) => {
                return Err(CloseReason::NotPermitted(error));
            }
            Err(error) => {
                let (code, message) = (RefusalCode::TokenRefused, error.to_string().into());
                self.refuse(Refusal { of, code, message });
            }
        }
        Ok(())
    }

    /// A first frame renames nobody who is listed, and the name of a token counts all the same.
    pub(super) fn list_under_fixed_name(&mut self) {
        let Some(name) = self.access.as_ref().and_then(|access| access.fixed_name()) else {
            return;
        };
        let listed = self.membership.listed_name();
        if listed.is_some_and(|listed| listed.as_str() != name) {
            // In a cluster the answer comes later, and nobody waits for it.
            let _ = self.membership.rename(name);
        }
    }

    pub(super) fn end_of_token(&self) -> Option<Instant> {
        self.access.as_ref()?.ends_at()
    }
}
