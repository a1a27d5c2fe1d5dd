//! What all servers share, as one text in the engine: `key=…;lease=…;scheme=…;format=1`.

use std::time::Duration;

use registry::replication::engine::SharedConfig;

/// The format of entries and snapshots. A server that reads another one is refused.
const FORMAT: &str = "format=1";

/// As [`parse`] reads it. The lease is in milliseconds.
pub(super) fn format(SharedConfig { key, lease, scheme }: &SharedConfig) -> String {
    format!("key={key};lease={};scheme={scheme};{FORMAT}", lease.as_millis())
}

/// `None` for a text of another format.
pub(super) fn parse(text: &str) -> Option<SharedConfig> {
    let mut fields = text.split(';');
    let mut field = |name: &str| fields.next()?.strip_prefix(name)?.strip_prefix('=');
    let (key, lease, scheme) = (field("key")?, field("lease")?, field("scheme")?);
    let lease = Duration::from_millis(lease.parse().ok()?);
    (fields.next() == Some(FORMAT)).then(|| SharedConfig {
        key: key.to_owned(),
        lease,
        scheme: scheme.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_as_it_is_written() {
        let config = SharedConfig {
            key: "a1b2".into(),
            lease: Duration::from_secs(2),
            scheme: "https".into(),
        };
        let text = format(&config);
        assert_eq!(text, "key=a1b2;lease=2000;scheme=https;format=1");
        assert_eq!(parse(&text), Some(config));
        for other in ["", "key=a", "key=a;lease=2000;scheme=https;format=2"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
