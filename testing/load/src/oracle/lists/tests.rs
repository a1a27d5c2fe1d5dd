//! The judge is judged: an honest server is never called wrong, and every lie is.

mod examples;
mod faults;
mod history;
mod properties;
