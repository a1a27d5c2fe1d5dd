//! Bearer tokens of requests (RFC 6750): reading them, and slowing, counting and logging wrong ones.

mod tries;

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, header};
use tokio::time::Instant;

use self::tries::TokenTries;
use crate::{
    admission::ClientPrefix,
    telemetry::{metrics::Counter, warning_interval::WarningInterval},
};

/// Looks tokens of one kind up, and remembers who sent wrong ones of late.
#[derive(Debug)]
pub(crate) struct TokenCheck {
    started: Instant,
    tries: Mutex<TokenTries>,
    kind: TokenKind,
    warning: WarningInterval,
}

/// What is noted of a wrong token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenKind {
    /// Counts each of them.
    pub(crate) counter: &'static Counter,
    /// Is logged at most once a minute.
    pub(crate) warning: &'static str,
}

/// Why a token admits nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WrongToken {
    /// Nobody has it.
    Unknown,
    /// It was not looked at: too many wrong ones were sent. One is looked at after this time.
    TooMany(Duration),
}

impl TokenCheck {
    pub(crate) fn new(kind: TokenKind) -> Self {
        let (tries, warning) = (Mutex::default(), WarningInterval::default());
        Self { started: Instant::now(), tries, kind, warning }
    }

    /// Whom a token belongs to, as `look_up` says, unless this address sent too many wrong ones.
    pub(crate) fn check<T>(
        &self,
        from: IpAddr,
        look_up: impl FnOnce() -> Option<T>,
    ) -> Result<T, WrongToken> {
        let (from, now) = (sender(from), self.started.elapsed());
        let may_try = self.tries().check(from, now);
        if let Err(wait) = may_try {
            self.note_wrong_token();
            return Err(WrongToken::TooMany(wait));
        }
        let Some(found) = look_up() else {
            self.tries().wrong(from, now);
            self.note_wrong_token();
            return Err(WrongToken::Unknown);
        };
        self.tries().right(from);
        Ok(found)
    }

    /// Counts and logs a wrong token, or one that was not looked at.
    fn note_wrong_token(&self) {
        self.kind.counter.count();
        if self.warning.is_due(Instant::now()) {
            tracing::warn!("{}", self.kind.warning);
        }
    }

    fn tries(&self) -> MutexGuard<'_, TokenTries> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The token of a request with `Authorization: Bearer TOKEN` (RFC 6750, section 2.1).
pub(crate) fn sent(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").map(str::trim).filter(|token| !token.is_empty())
}

/// Any program of this machine can use all addresses of loopback.
fn sender(peer: IpAddr) -> ClientPrefix {
    let peer = peer.to_canonical();
    if peer.is_loopback() { IpAddr::from(Ipv4Addr::LOCALHOST).into() } else { peer.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    static COUNTER: Counter = Counter::new();

    #[tokio::test(start_paused = true)]
    async fn right_token_is_not_looked_at_after_too_many_wrong_ones() {
        let check = TokenCheck::new(TokenKind { counter: &COUNTER, warning: "a wrong token" });
        let from = IpAddr::from([127, 0, 0, 1]);
        for _ in 0..10 {
            assert_eq!(check.check(from, || None::<u8>), Err(WrongToken::Unknown));
        }
        let wait = Duration::from_secs(1);
        assert_eq!(check.check(from, || Some(1)), Err(WrongToken::TooMany(wait)));
        assert_eq!(COUNTER.value(), 11);
        tokio::time::advance(wait).await;
        assert_eq!(check.check(from, || Some(1)), Ok(1));
        assert_eq!(COUNTER.value(), 11);
    }

    #[test]
    fn only_a_bearer_token_is_one() {
        let of = |value: &str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
            sent(&headers).map(str::to_owned)
        };
        assert_eq!(of("Bearer abc").as_deref(), Some("abc"));
        for value in ["abc", "Bearer", "Bearer ", "Basic abc", ""] {
            assert_eq!(of(value), None, "{value}");
        }
        assert_eq!(sent(&HeaderMap::new()), None);
    }

    #[test]
    fn addresses_of_loopback_are_one_sender() {
        let of = |text: &str| sender(text.parse().unwrap());
        for text in ["127.0.0.2", "127.9.9.9", "::1", "::ffff:127.0.0.3"] {
            assert_eq!(of(text), of("127.0.0.1"), "{text}");
        }
        assert_ne!(of("10.0.0.7"), of("10.0.0.8"));
        assert_ne!(of("10.0.0.7"), of("127.0.0.1"));
    }
}
