//! How a setting's value is parsed and formatted: as the same text in the file, the environment and flags.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use app::ssr::BasePath;
use ipnet::IpNet;
use leptos::config::Env;

use crate::{
    admin::AdminAddr,
    admission::{HostName, Origin, parse_network},
    cluster_redis::EngineAddress,
    telemetry::logging::{LogFilter, LogFormat},
    url::PublicUrl,
};

/// The syntax of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// A whole number: `7`.
    Number,
    /// `true` or `false`.
    Switch,
    /// A duration: `"10s"` in the file, or `10`.
    Duration,
    /// A string: `"text"` in the file.
    Text,
    /// Several strings: `["one", "two"]` in the file, `one,two` elsewhere.
    List,
}

/// The value of a setting.
pub trait Value {
    /// Its syntax: for most a string.
    fn kind(&self) -> ValueKind {
        ValueKind::Text
    }

    /// Its name in the help: `NUMBER`.
    fn placeholder(&self) -> &'static str;

    /// Sets it from a text.
    ///
    /// # Errors
    /// A description of the valid values.
    fn parse(&mut self, text: &str) -> Result<(), &'static str>;

    /// As `parse` reads it; none where it is unset.
    fn format(&self) -> Option<String>;
}

macro_rules! numbers {
    ($($number:ty: $expected:literal),+) => {$(
        impl Value for $number {
            fn kind(&self) -> ValueKind {
                ValueKind::Number
            }

            fn placeholder(&self) -> &'static str {
                "NUMBER"
            }

            fn parse(&mut self, text: &str) -> Result<(), &'static str> {
                *self = text.parse().map_err(|_| $expected)?;
                Ok(())
            }

            fn format(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )+};
}

numbers!(
    u16: "a whole number from 0 to 65535",
    u32: "a whole number from 0 to 4294967295",
    u64: "a whole number, 0 or more",
    usize: "a whole number, 0 or more"
);

impl Value for bool {
    fn kind(&self) -> ValueKind {
        ValueKind::Switch
    }

    fn placeholder(&self) -> &'static str {
        "true|false"
    }

    fn parse(&mut self, text: &str) -> Result<(), &'static str> {
        *self = text.parse().map_err(|_| "true or false")?;
        Ok(())
    }

    fn format(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for Arc<str> {
    fn placeholder(&self) -> &'static str {
        "TEXT"
    }

    fn parse(&mut self, text: &str) -> Result<(), &'static str> {
        *self = not_empty(text)?.into();
        Ok(())
    }

    fn format(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for String {
    fn placeholder(&self) -> &'static str {
        "TEXT"
    }

    fn parse(&mut self, text: &str) -> Result<(), &'static str> {
        not_empty(text)?.clone_into(self);
        Ok(())
    }

    fn format(&self) -> Option<String> {
        Some(self.clone())
    }
}

impl Value for PathBuf {
    fn placeholder(&self) -> &'static str {
        "PATH"
    }

    fn parse(&mut self, text: &str) -> Result<(), &'static str> {
        *self = not_empty(text)?.into();
        Ok(())
    }

    fn format(&self) -> Option<String> {
        (!self.as_os_str().is_empty()).then(|| self.display().to_string())
    }
}

/// A value that the standard traits read and write as a text: its name in the help, and what it has to be.
macro_rules! text_value {
    ($type:ty, $placeholder:literal, $expected:literal) => {
        impl Value for $type {
            fn placeholder(&self) -> &'static str {
                $placeholder
            }

            fn parse(&mut self, text: &str) -> Result<(), &'static str> {
                *self = text.parse().map_err(|_| $expected)?;
                Ok(())
            }

            fn format(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    };
}

text_value!(
    SocketAddr,
    "HOST:PORT",
    "an address and a port, like 127.0.0.1:3000, 0.0.0.0:80 or [::1]:3000"
);
text_value!(
    Origin,
    "HTTPS://HOST",
    "a scheme and a host, like https://example.org or http://localhost:3000"
);
text_value!(
    HostName,
    "NAME",
    "a name like roll.example.org or laptop.lan, without a scheme and a port"
);
text_value!(
    PublicUrl,
    "HTTPS://HOST/PATH",
    "a scheme, a host and perhaps a path (not below /r or /api), like https://example.org or https://example.org/rollcall"
);

text_value!(
    EngineAddress,
    "REDIS://HOST:PORT",
    "an address like redis://127.0.0.1:6379 or rediss://valkey.example.org:6379; a password belongs into cluster-password-file"
);

text_value!(
    LogFilter,
    "FILTER",
    "a level (error, warn, info, debug, trace or off), or a list like warn,server::websocket=debug"
);

impl Value for Duration {
    fn kind(&self) -> ValueKind {
        ValueKind::Duration
    }

    fn placeholder(&self) -> &'static str {
        "DURATION"
    }

    fn parse(&mut self, text: &str) -> Result<(), &'static str> {
        *self = parse_duration(text)
            .ok_or("a duration, like 500ms, 10s, 5m or 2h; a number alone is seconds")?;
        Ok(())
    }

    fn format(&self) -> Option<String> {
        let (milliseconds, seconds) = (self.as_millis(), self.as_secs());
        Some(if !milliseconds.is_multiple_of(1000) {
            format!("{milliseconds}ms")
        } else if seconds == 0 || !seconds.is_multiple_of(60) {
            format!("{seconds}s")
        } else if !seconds.is_multiple_of(3600) {
            format!("{}m", seconds / 60)
        } else {
            format!("{}h", seconds / 3600)
        })
    }
}

impl Value for Env {
    fn placeholder(&self) -> &'static str {
        "PROD|DEV"
    }

    fn parse(&mut self, text: &str) -> Result<(), &'static str> {
        *self = match text.to_ascii_lowercase().as_str() {
            "prod" | "production" => Self::PROD,
            "dev" | "development" => Self::DEV,
            _ => return Err("PROD or DEV"),
        };
        Ok(())
    }

    fn format(&self) -> Option<String> {
        let text = match self {
            Self::PROD => "PROD",
            Self::DEV => "DEV",
        };
        Some(text.to_owned())
    }
}

impl Value for IpNet {
    fn placeholder(&self) -> &'static str {
        "NETWORK"
    }

    fn parse(&mut self, text: &str) -> Result<(), &'static str> {
        *self = parse_network(text).map_err(|_| "a network, like 10.0.0.0/8, or an address")?;
        Ok(())
    }

    fn format(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for AdminAddr {
    fn placeholder(&self) -> &'static str {
        "HOST:PORT|off"
    }

    fn parse(&mut self, text: &str) -> Result<(), &'static str> {
        *self = match text {
            "off" => Self::Disabled,
            _ => Self::At(text.parse().map_err(|_| "an address and a port, or off")?),
        };
        Ok(())
    }

    fn format(&self) -> Option<String> {
        match self {
            Self::Default => None,
            Self::At(address) => Some(address.to_string()),
            Self::Disabled => Some("off".to_owned()),
        }
    }
}

impl Value for LogFormat {
    fn placeholder(&self) -> &'static str {
        "auto|text|json"
    }

    fn parse(&mut self, text: &str) -> Result<(), &'static str> {
        *self = match text {
            "auto" => Self::Auto,
            "text" => Self::Text,
            "json" => Self::Json,
            _ => return Err("auto, text or json"),
        };
        Ok(())
    }

    fn format(&self) -> Option<String> {
        let text = match self {
            Self::Auto => "auto",
            Self::Text => "text",
            Self::Json => "json",
        };
        Some(text.to_owned())
    }
}

/// A value that is optional; an empty text unsets it.
impl<Inner: Value + Blank> Value for Option<Inner> {
    fn kind(&self) -> ValueKind {
        Inner::blank().kind()
    }

    fn placeholder(&self) -> &'static str {
        Inner::blank().placeholder()
    }

    fn parse(&mut self, text: &str) -> Result<(), &'static str> {
        if text.is_empty() {
            *self = None;
            return Ok(());
        }
        let mut inner = Inner::blank();
        inner.parse(text)?;
        *self = Some(inner);
        Ok(())
    }

    fn format(&self) -> Option<String> {
        self.as_ref().and_then(Value::format)
    }
}

/// A list, written with commas.
impl<Inner: Value + Blank> Value for Vec<Inner> {
    fn kind(&self) -> ValueKind {
        ValueKind::List
    }

    fn placeholder(&self) -> &'static str {
        "ONE,TWO,…"
    }

    fn parse(&mut self, text: &str) -> Result<(), &'static str> {
        let parse = |part: &str| {
            let mut inner = Inner::blank();
            inner.parse(part).map(|()| inner)
        };
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        *self = parts.map(parse).collect::<Result<_, _>>()?;
        Ok(())
    }

    fn format(&self) -> Option<String> {
        let parts = self.iter().map(|inner| inner.format().unwrap_or_default());
        (!self.is_empty()).then(|| parts.collect::<Vec<_>>().join(","))
    }
}

/// A value to parse into, where there is none yet; it is never used itself.
pub trait Blank {
    /// Any value of the type.
    fn blank() -> Self;
}

impl Blank for SocketAddr {
    fn blank() -> Self {
        Self::from(([127, 0, 0, 1], 0))
    }
}

impl Blank for PathBuf {
    fn blank() -> Self {
        Self::new()
    }
}

impl Blank for Arc<str> {
    fn blank() -> Self {
        Self::from("")
    }
}

impl Blank for String {
    fn blank() -> Self {
        Self::new()
    }
}

impl Blank for EngineAddress {
    fn blank() -> Self {
        Self::local()
    }
}

impl Blank for IpNet {
    fn blank() -> Self {
        Self::from(IpAddr::from([127, 0, 0, 1]))
    }
}

impl Blank for HostName {
    fn blank() -> Self {
        Self::localhost()
    }
}

impl Blank for PublicUrl {
    fn blank() -> Self {
        Self { origin: Origin::localhost(), base_path: BasePath::default() }
    }
}

impl Blank for Origin {
    fn blank() -> Self {
        Self::localhost()
    }
}

fn not_empty(text: &str) -> Result<&str, &'static str> {
    if text.trim().is_empty() { Err("a string that is not empty") } else { Ok(text) }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number = number.parse::<u64>().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" | "" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_duration_is_parsed_as_it_is_formatted(milliseconds in 0..u64::from(u32::MAX)) {
            let duration = Duration::from_millis(milliseconds);
            let mut parsed = Duration::MAX;
            parsed.parse(&duration.format().unwrap()).unwrap();
            prop_assert_eq!(parsed, duration);
        }

        #[test]
        fn arbitrary_text_is_parsed_without_a_panic(text: String) {
            let _ = Duration::default().parse(&text);
            let _ = Vec::<SocketAddr>::new().parse(&text);
            let _ = 0_u16.parse(&text);
        }
    }

    #[test]
    fn a_duration_without_a_unit_is_seconds() {
        for (text, milliseconds) in
            [("500ms", 500), ("10s", 10_000), ("2m", 120_000), ("1h", 3_600_000)]
        {
            let mut duration = Duration::MAX;
            duration.parse(text).unwrap();
            assert_eq!(duration, Duration::from_millis(milliseconds));
            assert_eq!(duration.format().unwrap(), text);
        }
        let mut duration = Duration::MAX;
        duration.parse("10").unwrap();
        assert_eq!(duration, Duration::from_secs(10));
        for text in ["", "-10", "s", "-1s", "1.5s", "1 s", "99999999999999999h", "1d"] {
            assert!(Duration::default().parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_empty_text_unsets_an_optional_value() {
        let mut address = Some(SocketAddr::blank());
        address.parse("").unwrap();
        assert_eq!((address, address.format()), (None, None));
        address.parse("[::1]:80").unwrap();
        assert_eq!(address.format().as_deref(), Some("[::1]:80"));
    }

    #[test]
    fn a_list_is_parsed_as_it_is_formatted() {
        let mut list = Vec::<Arc<str>>::new();
        list.parse("one, two,").unwrap();
        assert_eq!(list.format().as_deref(), Some("one,two"));
        list.parse("").unwrap();
        assert_eq!(list.format(), None);
    }
}
