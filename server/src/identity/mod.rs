//! The identity of a browser: the signed cookie, and the public ids derived from it.

pub mod person_cookie;
