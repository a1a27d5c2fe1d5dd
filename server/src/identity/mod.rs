//! The identity of a browser: the signed cookie, and the public ids derived from it.

mod cookie_scope;
pub mod person_cookie;
