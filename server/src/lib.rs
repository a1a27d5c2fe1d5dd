//! Rollcall's server: it renders the page, keeps the registry of who is here, and tells everyone.

pub mod presence;
