//! The judge is judged: an honest server is never called wrong, and every lie is.

mod faults;
mod laws;
mod narrator;
mod stories;
