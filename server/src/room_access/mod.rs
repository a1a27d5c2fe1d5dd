//! Who may enter which room. `RoomAccess::permit` is the one place where that is decided, for every address that
//! tells names.

mod error;
mod invalid_tokens;
mod policy;

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::presence::{Name, RoomName, UserId};
use tokio::time::Instant;

pub use self::{
    error::AccessError,
    policy::{Access, JoinMoreOpenError, Openness, RoomPolicy, RoomRule},
};
use self::{invalid_tokens::InvalidTokens, policy::Rights};
use crate::{
    identity::person_cookie::{Person, PersonCookies, TokenPerson},
    tokens::{self, Claims, LEEWAY_IN_SECONDS, TokenError, TokenKeyring},
    unix_time::unix_seconds,
    websocket::protocol::Request,
};
use registry::presence::{join::JoinRequest, request_error::RequestError};

/// Decides who may enter which room.
#[derive(Debug)]
pub struct RoomAccess {
    policy: RoomPolicy,
    keyring: TokenKeyring,
    persons: Arc<PersonCookies>,
    started: Instant,
    invalid: Mutex<InvalidTokens>,
}

/// What a visitor may do in a room, and who a token says that they are. Only [`RoomAccess`] makes one.
#[derive(Clone, Debug)]
pub(crate) struct Permission {
    rights: Rights,
    holder: Option<Holder>,
}

/// The holder of a valid token.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub(crate) person: TokenPerson,
    /// The name under which they are listed, if the token has one.
    pub(crate) name: Option<Name>,
    /// When the token is no longer accepted.
    pub(crate) ends_at: Instant,
}

impl RoomAccess {
    /// With these rules and keys.
    pub fn new(policy: RoomPolicy, keyring: TokenKeyring, persons: Arc<PersonCookies>) -> Self {
        let (started, invalid) = (Instant::now(), Mutex::default());
        Self { policy, keyring, persons, started, invalid }
    }

    /// Whether everybody may enter every room, and no token counts.
    pub(crate) fn is_unrestricted(&self) -> bool {
        self.policy.is_open() && self.keyring.is_empty()
    }

    /// Whether tokens count.
    pub(crate) fn knows_tokens(&self) -> bool {
        !self.keyring.is_empty()
    }

    /// Whether a visitor may enter a room, with the token that they sent for it, or without one.
    pub(crate) fn permit(
        &self,
        room: &RoomName,
        token: Option<&str>,
        from: IpAddr,
    ) -> Result<Permission, AccessError> {
        self.decide(room, self.read(token, from)?.as_ref())
    }

    /// What a token says, for however many rooms: an invalid one counts once.
    pub(crate) fn read(
        &self,
        token: Option<&str>,
        from: IpAddr,
    ) -> Result<Option<Claims>, AccessError> {
        // Without keys no token counts, and none is wrong.
        let token = token.filter(|_| self.knows_tokens());
        let claims = token.map(|token| self.verify(token)).transpose();
        claims.map_err(|error| self.note(error, from))
    }

    /// Whether a visitor may enter a room, with tokens that their browser keeps. One that is not valid, or for other
    /// rooms, counts as none: a browser sends it for as long as it runs, and cookies of a sibling domain come along.
    pub(crate) fn permit_browser<'token>(
        &self,
        room: &RoomName,
        tokens: impl IntoIterator<Item = &'token str>,
        from: IpAddr,
    ) -> Result<Permission, AccessError> {
        let (mut invalid, mut not_here) = (None, None);
        for token in tokens {
            match self.verify(token).map(|claims| self.decide(room, Some(&claims))) {
                Ok(Ok(permission)) => return Ok(permission),
                Ok(Err(error)) => not_here = Some(error),
                Err(error) => invalid = Some(error),
            }
        }
        match (self.decide(room, None), invalid, not_here) {
            (Err(AccessError::TokenMissing), Some(error), _) => Err(self.note(error, from)),
            (Err(AccessError::TokenMissing), None, Some(error)) => Err(error),
            (decided, _, _) => decided,
        }
    }

    /// The id that others in a room see of a visitor: the holder of the token, or without one this browser.
    pub(crate) fn public_id(
        &self,
        permission: &Permission,
        browser: Person,
        room: &RoomName,
    ) -> UserId {
        match &permission.holder {
            Some(holder) => self.persons.public_id_of_token(holder.person, room),
            None => self.persons.public_id(browser, room),
        }
    }

    /// The id that others in a room see of the holder of the token, if there was one.
    pub(crate) fn holder_id(&self, permission: &Permission, room: &RoomName) -> Option<UserId> {
        let holder = permission.holder.as_ref()?;
        Some(self.persons.public_id_of_token(holder.person, room))
    }

    fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        tokens::verify(token, &self.keyring.current(), unix_seconds())
    }

    /// Whether a visitor may enter a room, with what their token says or without one.
    pub(crate) fn decide(
        &self,
        room: &RoomName,
        claims: Option<&Claims>,
    ) -> Result<Permission, AccessError> {
        let rights = self.policy.decide(room, claims)?;
        let holder = claims.map(|claims| {
            let accepted_until = claims.expires.saturating_add(LEEWAY_IN_SECONDS);
            let left = Duration::from_secs(accepted_until.saturating_sub(unix_seconds()));
            Holder {
                person: self.persons.person_of_token(claims.issuer.as_deref(), &claims.subject),
                name: claims.name.clone(),
                ends_at: Instant::now() + left,
            }
        });
        Ok(Permission { rights, holder })
    }

    /// Counts an invalid token. One that has expired was valid, and nobody's attempt.
    fn note(&self, error: TokenError, from: IpAddr) -> AccessError {
        if error == TokenError::Expired {
            return error.into();
        }
        let now = self.started.elapsed();
        let mut invalid = self.invalid.lock().unwrap_or_else(PoisonError::into_inner);
        match invalid.count(from.into(), now) {
            Ok(()) => error.into(),
            Err(wait) => AccessError::TooManyInvalid(wait),
        }
    }
}

#[cfg(test)]
impl Permission {
    /// Of the holder of a token with this name, for a minute.
    pub(crate) fn of_holder(name: &str) -> Self {
        let persons = PersonCookies::from_key(&[1; 64], crate::url::Scheme::Http).unwrap();
        let holder = Holder {
            person: persons.person_of_token(None, "user-7"),
            name: Some(Name::parse(name).unwrap()),
            ends_at: Instant::now() + Duration::from_mins(1),
        };
        Self { holder: Some(holder), ..Self::of_anybody() }
    }
}

impl Permission {
    /// Of somebody without a token in an open room.
    pub(crate) fn of_anybody() -> Self {
        Self { rights: Rights { may_join: true, is_host: false }, holder: None }
    }

    /// Of a server without rules and keys.
    pub(crate) fn everything(access: &RoomAccess) -> Option<Self> {
        access.is_unrestricted().then(Self::of_anybody)
    }

    /// The holder of the token, if there was one.
    pub(crate) fn holder(&self) -> Option<&Holder> {
        self.holder.as_ref()
    }

    /// The name under which the visitor is listed, if the token has one.
    pub(crate) fn fixed_name(&self) -> Option<&Name> {
        self.holder.as_ref()?.name.as_ref()
    }

    /// A request as this visitor may make it: to be listed under the name that the token has, if it has one. Who may not
    /// be listed changes no row: it would be that of the same person with another token.
    pub(crate) fn permit(&self, request: Request) -> Result<Request, RequestError> {
        let fixed = self.fixed_name().map(|name| name.as_str().to_owned());
        match (request, fixed) {
            (
                Request::Join(_)
                | Request::Rename { .. }
                | Request::SetVisible { .. }
                | Request::Leave,
                _,
            ) if !self.may_join() => Err(RequestError::JoinNotAllowed),
            (Request::Join(join), Some(name)) => Ok(Request::Join(JoinRequest { name, ..join })),
            (Request::Rename { .. }, Some(_)) => Err(RequestError::NameFixed),
            (request, _) => Ok(request),
        }
    }

    /// When the token is no longer accepted; none without one.
    pub(crate) fn ends_at(&self) -> Option<Instant> {
        self.holder.as_ref().map(|holder| holder.ends_at)
    }

    /// Whether the visitor may be listed.
    pub(crate) fn may_join(&self) -> bool {
        self.rights.may_join
    }

    /// Whether the token makes the visitor a host.
    pub(crate) fn is_host(&self) -> bool {
        self.rights.is_host
    }
}
