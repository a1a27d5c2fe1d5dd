//! Logs: readable on a terminal, JSON elsewhere, on standard error.

use std::io::{self, IsTerminal};

use tracing::subscriber::set_global_default;
use tracing_subscriber::EnvFilter;

use super::metrics::METRICS;

/// What is logged, and how.
#[derive(Clone, Debug, Default)]
pub struct LogConfig {
    /// What is logged.
    pub filter: LogFilter,
    /// How it is written.
    pub format: LogFormat,
}

/// What is logged, as `tracing-subscriber` has it: `info`, or `warn,crate::websocket::connection=debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(pub(crate) String);

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people on a terminal, for programs elsewhere.
    #[default]
    Auto,
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// Logs from now on, as is set.
pub fn init(config: &LogConfig) {
    let LogFilter(filter) = &config.filter;
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let is_terminal = io::stderr().is_terminal();
    // Not `init`, which would also take in what libraries write with the `log` crate: the WebSocket library
    // writes every message into it, and with that the names of people.
    let outcome = if config.format.is_json(is_terminal) {
        set_global_default(lines.json().flatten_event(true).with_span_list(false).finish())
    } else {
        // Where the text goes to a file, colours would be noise.
        set_global_default(lines.with_ansi(is_terminal).finish())
    };
    if let Err(error) = outcome {
        tracing::warn!(%error, "something logs already, and goes on");
    }
}

/// Panics are told like everything else, and counted.
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(|panic| {
        METRICS.panics.count();
        let at = panic.location().map(ToString::to_string);
        let why = panic.payload_as_str().unwrap_or("it does not say why");
        tracing::error!(at, why, "a task panicked");
    }));
}

impl LogFormat {
    fn is_json(self, is_terminal: bool) -> bool {
        match self {
            Self::Auto => !is_terminal,
            Self::Text => false,
            Self::Json => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::value::Value;

    #[test]
    fn people_get_text_and_programs_get_json() {
        assert!(LogFormat::Auto.is_json(false) && !LogFormat::Auto.is_json(true));
        assert!(LogFormat::Json.is_json(true) && !LogFormat::Text.is_json(false));
        for text in ["auto", "text", "json"] {
            let mut format = LogFormat::default();
            format.parse(text).unwrap();
            assert_eq!(format.format().as_deref(), Some(text));
        }
        assert!(LogFormat::Auto.parse("xml").is_err());
    }

    #[test]
    fn a_filter_has_to_be_one() {
        let mut filter = LogFilter::default();
        filter.parse("warn,crate::websocket::connection=debug").unwrap();
        assert!(filter.parse("server=loud").is_err());
        assert_eq!(filter.format().as_deref(), Some("warn,crate::websocket::connection=debug"));
    }
}
