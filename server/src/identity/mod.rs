//! Who a browser is: the signed cookie, the public ids derived from it, and the hosts of rooms.

mod cookie_scope;
pub mod host_link;
pub mod host_secret;
pub(crate) mod key_pattern;
pub mod person_cookie;
mod request_cookies;
mod token_cookie;
