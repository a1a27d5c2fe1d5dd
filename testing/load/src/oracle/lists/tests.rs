//! Tests of the oracle: correct histories have no violation, and every corruption is found.

mod examples;
mod faults;
mod history;
mod properties;
