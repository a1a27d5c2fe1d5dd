//! The log on standard error: text on a terminal, JSON elsewhere.

use std::{
    fmt,
    io::{self, IsTerminal},
    str::FromStr,
};

use tracing::subscriber::set_global_default;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

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
pub struct LogFilter(String);

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

/// A text is no filter of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A log filter is a level, or a list like warn,server::websocket=debug.")]
pub struct LogFilterError;

impl FromStr for LogFilter {
    type Err = LogFilterError;

    /// `EnvFilter` alone would read a mistyped level as a module's name, and then log nothing else.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // An empty text is the level `error` to `LevelFilter`.
        let is_level = |text: &str| !text.is_empty() && text.parse::<LevelFilter>().is_ok();
        let names_a_level =
            |part: &str| is_level(part.rsplit_once('=').map_or(part, |(_, level)| level).trim());
        let is_valid = text.split(',').all(names_a_level) && EnvFilter::try_new(text).is_ok();
        if is_valid { Ok(Self(text.to_owned())) } else { Err(LogFilterError) }
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
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
        filter.parse("off,[connection{number=3}]=debug").unwrap();
        filter.parse("warn,server::websocket::connection=debug").unwrap();
        // A mistyped level would be a module's name, and all other modules would log nothing.
        for text in
            ["server=loud", "verbose", "inof", "warn,inof", "", " ", "info,", "server", "server="]
        {
            assert!(filter.parse(text).is_err(), "{text}");
        }
        assert_eq!(filter.format().as_deref(), Some("warn,server::websocket::connection=debug"));
    }
}
