//! The log on standard error: text on a terminal, JSON elsewhere.

use std::io::{self, IsTerminal};

use tracing::subscriber::set_global_default;
use tracing_subscriber::EnvFilter;

use super::{background_writer::BackgroundWriter, metrics::METRICS};

/// The settings of the log.
#[derive(Clone, Debug, Default)]
pub struct LogConfig {
    /// Which events are logged.
    pub filter: LogFilter,
    /// How they are written.
    pub format: LogFormat,
}

/// A filter in the syntax of `tracing-subscriber`: `info`, or `warn,server::websocket::connection=debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(pub(crate) String);

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

/// The format of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// Text for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Installs the global subscriber, which writes to standard error through `writer`.
pub fn init(config: &LogConfig, writer: BackgroundWriter) {
    let LogFilter(filter) = &config.filter;
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // Its own errors would be printed to standard error, and a panic if that fails would end the process.
    let lines = tracing_subscriber::fmt()
        .log_internal_errors(false)
        .with_env_filter(filter)
        .with_writer(writer);
    let is_terminal = io::stderr().is_terminal();
    // Not `init`, which would also log the records of the `log` crate: the WebSocket library logs every
    // message there, and with it people's names.
    let outcome = if config.format.is_json(is_terminal) {
        set_global_default(lines.json().flatten_event(true).with_span_list(false).finish())
    } else {
        // Without colours in a file.
        set_global_default(lines.with_ansi(is_terminal).finish())
    };
    if let Err(error) = outcome {
        tracing::warn!(%error, "a global tracing subscriber is already set");
    }
}

/// Logs and counts panics.
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(|panic| {
        METRICS.panics.count();
        let at = panic.location().map(ToString::to_string);
        let why = panic.payload_as_str().unwrap_or("without a message");
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
    fn auto_is_text_on_a_terminal_and_json_elsewhere() {
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
    fn an_invalid_filter_is_refused() {
        let mut filter = LogFilter::default();
        filter.parse("warn,server::websocket::connection=debug").unwrap();
        assert!(filter.parse("server=loud").is_err());
        assert_eq!(filter.format().as_deref(), Some("warn,server::websocket::connection=debug"));
    }
}
