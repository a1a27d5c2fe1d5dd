//! Compressed answers: by which coding, how hard, and where that is done.
//!
//! Files are compressed by the build, and pages and lists where they are written. All else is in memory as a whole, and
//! is compressed outside of the threads that serve sockets: see [`Offload`].

use std::{io::Write, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, write::GzEncoder};

use super::offload::Offload;
use crate::{admission::Account, telemetry::metrics::METRICS};

/// After so long an answer is sent as it is.
const COMPRESSION_TIMEOUT: Duration = Duration::from_secs(2);

/// Shorter ones fit into one packet in any case.
const SHORTEST: u64 = 1_024;

/// How an answer's content is coded (RFC 9110, section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Coding {
    Identity,
    Gzip,
    Brotli,
}

/// How hard a compressor tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// For what one client gets.
    Little,
    /// For what many clients get.
    Much,
}

impl Coding {
    /// The best one that the client accepts.
    pub(crate) fn accepted_by(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(header::ACCEPT_ENCODING).iter();
        let accepted: Vec<&str> = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .filter_map(accepted_name)
            .collect();
        let is_accepted = |name: &str| accepted.iter().any(|one| one.eq_ignore_ascii_case(name));
        if is_accepted("br") {
            Self::Brotli
        } else if is_accepted("gzip") || is_accepted("x-gzip") {
            Self::Gzip
        } else {
            Self::Identity
        }
    }

    /// Its name in `Content-Encoding`; the identity has none.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
        }
    }

    /// Adds the headers of an answer in this coding. Those of the identity are added by [`compress`].
    pub(crate) fn add_headers(self, headers: &mut HeaderMap) {
        if let Some(name) = self.name() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
            add_vary(headers);
        }
    }

    /// The content in this coding.
    pub(crate) fn encode(self, content: Vec<u8>, effort: Effort) -> Vec<u8> {
        if self != Self::Identity {
            METRICS.compressions.count();
        }
        let coded = match self {
            Self::Identity => return content,
            Self::Gzip => gzip(&content, effort),
            Self::Brotli => brotli(&content, effort),
        };
        // Writing to memory does not fail.
        coded.unwrap_or_default()
    }
}

/// The name of a content coding, unless its weight is 0 (RFC 9110, section 12.5.3).
fn accepted_name(element: &str) -> Option<&str> {
    let (name, parameters) = element.split_once(';').unwrap_or((element, ""));
    let weight = parameters.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok());
    (weight.unwrap_or(1.0) > 0.0_f32).then_some(name.trim())
}

fn gzip(content: &[u8], effort: Effort) -> std::io::Result<Vec<u8>> {
    let level = match effort {
        Effort::Little => 1,
        Effort::Much => 4,
    };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(content)?;
    encoder.finish()
}

fn brotli(mut content: &[u8], effort: Effort) -> std::io::Result<Vec<u8>> {
    let quality = match effort {
        Effort::Little => 1,
        Effort::Much => 4,
    };
    let parameters = BrotliEncoderParams { quality, ..BrotliEncoderParams::default() };
    let mut coded = Vec::new();
    brotli::BrotliCompress(&mut content, &mut coded, &parameters)?;
    Ok(coded)
}

/// Compresses the answers that are text, and not compressed yet.
pub(crate) async fn compress(
    State(offload): State<Offload>,
    request: Request,
    next: Next,
) -> Response {
    let coding = Coding::accepted_by(request.headers());
    let account = request.extensions().get::<Account>().cloned();
    let mut response = next.run(request).await;
    if !is_compressible(&response) {
        return response;
    }
    add_vary(response.headers_mut());
    let (Some(name), Some(account)) = (coding.name(), account) else { return response };
    let (mut parts, body) = response.into_parts();
    // It is all there.
    let content = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let coded = {
        let content = content.clone();
        compress_in_turn(&offload, account, move || coding.encode(content.into(), Effort::Little))
            .await
    };
    // A client whose turn does not come gets it as it is.
    let Some(coded) = coded else { return Response::from_parts(parts, Body::from(content)) };
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::ACCEPT_RANGES);
    Response::from_parts(parts, Body::from(coded))
}

/// Tells caches that the answer depends on `Accept-Encoding`.
fn add_vary(headers: &mut HeaderMap) {
    let name = HeaderValue::from_static("accept-encoding");
    if headers.get_all(header::VARY).iter().all(|value| *value != name) {
        headers.append(header::VARY, name);
    }
}

async fn compress_in_turn(
    offload: &Offload,
    account: Account,
    compress: impl FnOnce() -> Vec<u8> + Send + 'static,
) -> Option<Bytes> {
    let turn = account.turn().await.ok()?;
    let compressed = offload.run(account, COMPRESSION_TIMEOUT, move || {
        let compressed = compress();
        drop(turn);
        compressed
    });
    compressed.await.ok().map(Bytes::from)
}

/// Whether it is a text of some length that is in memory as a whole.
fn is_compressible(response: &Response) -> bool {
    let headers = response.headers();
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    response.body().size_hint().exact().is_some_and(|size| size >= SHORTEST)
        && !headers.contains_key(header::CONTENT_ENCODING)
        && !headers.contains_key(header::CONTENT_RANGE)
        && content_type.is_some_and(is_text)
}

/// Images, fonts, WASM and workbooks are compressed already, or by the build.
fn is_text(content_type: &[u8]) -> bool {
    const TEXTS: [&[u8]; 4] =
        [b"text/", b"application/json", b"application/javascript", b"image/svg+xml"];
    TEXTS.iter().any(|prefix| content_type.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn accepted_by(lines: &[&'static str]) -> Coding {
        let line = |line: &&'static str| (header::ACCEPT_ENCODING, HeaderValue::from_static(line));
        Coding::accepted_by(&lines.iter().map(line).collect())
    }

    #[test]
    fn best_accepted_coding_is_chosen() {
        for (lines, coding) in [
            (&["gzip, deflate, br, zstd"][..], Coding::Brotli),
            (&["gzip, deflate"], Coding::Gzip),
            (&["x-gzip"], Coding::Gzip),
            (&["BR;q=0.5, gzip"], Coding::Brotli),
            (&["br;q=0, gzip;q=0.1"], Coding::Gzip),
            (&["br ; q=0.0,gzip ; q=0"], Coding::Identity),
            (&["gzip", "br"], Coding::Brotli),
            (&["identity"], Coding::Identity),
            (&["deflate, zstd, *;q=0.1"], Coding::Identity),
            (&[""], Coding::Identity),
            (&[], Coding::Identity),
        ] {
            assert_eq!(accepted_by(lines), coding, "{lines:?}");
        }
    }

    #[test]
    fn content_is_the_same_in_every_coding() {
        let content = "Ana and Ben are here. ".repeat(1_000).into_bytes();
        for effort in [Effort::Little, Effort::Much] {
            assert_eq!(Coding::Identity.encode(content.clone(), effort), content);
            let coded = Coding::Gzip.encode(content.clone(), effort);
            let mut decoded = Vec::new();
            GzDecoder::new(&coded[..]).read_to_end(&mut decoded).unwrap();
            assert!(decoded == content && coded.len() < content.len() / 10, "{}", coded.len());
            let coded = Coding::Brotli.encode(content.clone(), effort);
            let mut decoded = Vec::new();
            brotli::BrotliDecompress(&mut &coded[..], &mut decoded).unwrap();
            assert!(decoded == content && coded.len() < content.len() / 10, "{}", coded.len());
        }
    }

    #[test]
    fn only_texts_are_compressed() {
        for (content_type, is_compressed) in [
            ("text/html; charset=utf-8", true),
            ("application/json", true),
            ("image/svg+xml", true),
            ("image/png", false),
            ("application/wasm", false),
            (crate::http::export::XLSX_TYPE, false),
        ] {
            assert_eq!(is_text(content_type.as_bytes()), is_compressed, "{content_type}");
        }
    }
}
