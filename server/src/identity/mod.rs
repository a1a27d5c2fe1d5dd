//! Who a browser is: the signed cookie, and the public ids made from it.

pub mod person_cookie;
