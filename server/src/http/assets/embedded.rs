//! Files embedded in the program, served like those of a directory.

use std::sync::LazyLock;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use sha2::{Digest, Sha256};

use super::built_files::hash_in;
use crate::hex::hex;

/// An embedded file of the site.
#[derive(Debug, PartialEq, Eq)]
pub struct EmbeddedFile {
    /// Its path relative to the site's directory: `pkg/rollcall.js`.
    pub path: &'static str,
    /// Its bytes.
    pub content: &'static [u8],
}

/// The files of this program; empty unless it was built by `cargo xtask dist`.
pub static EMBEDDED: &[EmbeddedFile] = include!(concat!(env!("OUT_DIR"), "/embedded_files.rs"));

/// One `ETag` for all embedded files, as they only change together.
static ETAG: LazyLock<Option<HeaderValue>> = LazyLock::new(|| etag(EMBEDDED));

fn etag(files: &[EmbeddedFile]) -> Option<HeaderValue> {
    let mut hasher = Sha256::new();
    for file in files {
        hasher.update(file.path);
        hasher.update(file.content);
    }
    let hash = hex(&hasher.finalize());
    HeaderValue::from_str(&format!("W/\"{}\"", hash.get(..16)?)).ok()
}

/// Content codings, the best compression first: the coding's name and the file's extension.
const CODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// The response to a request for a file in this directory of the site; none where there is no such file.
pub(super) fn response(
    files: &[EmbeddedFile],
    directory: &str,
    request: &Request,
) -> Option<Response> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let name = request.uri().path().trim_start_matches('/');
    let path = if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") };
    let plain = find(files, &path)?;
    let accepted = CODINGS.iter().filter(|(coding, _)| accepts(request.headers(), coding));
    let mut encoded = accepted.filter_map(|(coding, extension)| {
        find(files, &format!("{path}{extension}")).map(|file| (*coding, file))
    });
    let (coding, file) =
        encoded.next().map_or((None, plain), |(coding, file)| (Some(coding), file));
    let body = match *request.method() {
        Method::HEAD => Body::empty(),
        _ => Body::from(file.content),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(&path)));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(file.content.len()));
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    if let Some(etag) = &*ETAG {
        headers.insert(header::ETAG, etag.clone());
    }
    Some(response)
}

/// The name of a built file, if it contains a hash: `rollcall.HASH.js`.
pub(super) fn hashed_name(
    files: &[EmbeddedFile],
    package: &str,
    output_name: &str,
    kind: &str,
) -> Option<String> {
    let names = files.iter().filter_map(|file| file.path.strip_prefix(package)?.strip_prefix('/'));
    let mut hashed = names.filter(|name| hash_in(name, output_name, kind).is_some());
    hashed.next().map(str::to_owned)
}

fn find<'files>(files: &'files [EmbeddedFile], path: &str) -> Option<&'files EmbeddedFile> {
    files.iter().find(|file| file.path == path)
}

/// Whether the client accepts this coding (RFC 9110, section 12.5.3).
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter();
    let named = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    let mut named = named.map(|one| one.split_once(';').unwrap_or((one, "")));
    named.any(|(name, weight)| {
        let weight = weight.trim().trim_start_matches("q=");
        name.trim().eq_ignore_ascii_case(coding) && weight.parse() != Ok(0.0_f32)
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js") => "text/javascript",
        Some("wasm") => "application/wasm",
        Some("css") => "text/css",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: &[EmbeddedFile] = &[
        EmbeddedFile { path: "favicon.svg", content: b"<svg/>" },
        EmbeddedFile { path: "pkg/rollcall.AbC-1_2.js", content: b"the script" },
        EmbeddedFile { path: "pkg/rollcall.AbC-1_2.js.br", content: b"brotli" },
        EmbeddedFile { path: "pkg/rollcall.AbC-1_2.js.gz", content: b"gzip" },
        EmbeddedFile { path: "pkg/rollcall.d.Xyz.ts", content: b"types" },
    ];

    fn request(method: Method, path: &str, accept: &str) -> Request {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT_ENCODING, accept)
            .body(Body::empty())
            .unwrap()
    }

    #[test]
    fn a_client_gets_the_shortest_coding_that_it_accepts() {
        for (accept, coding, length) in [
            ("", None, "10"),
            ("gzip, br;q=0.5", Some("br"), "6"),
            ("gzip, br;q=0", Some("gzip"), "4"),
            ("br;q=0.0, deflate", None, "10"),
            ("GZIP", Some("gzip"), "4"),
        ] {
            let request = request(Method::GET, "/rollcall.AbC-1_2.js", accept);
            let response = response(FILES, "pkg", &request).unwrap();
            let headers = response.headers();
            let found =
                headers.get(header::CONTENT_ENCODING).map(|coding| coding.to_str().unwrap());
            assert_eq!(found, coding, "{accept}");
            assert_eq!(headers[header::CONTENT_LENGTH], length, "{accept}");
            assert_eq!(headers[header::CONTENT_TYPE], "text/javascript");
            assert!(headers.contains_key(header::ETAG));
        }
    }

    #[test]
    fn only_exact_paths_of_files_are_served() {
        assert!(response(FILES, "", &request(Method::GET, "/favicon.svg", "br")).is_some());
        assert!(response(FILES, "", &request(Method::HEAD, "/favicon.svg", "br")).is_some());
        for path in ["/", "/pkg", "/pkg/", "/favicon", "/../favicon.svg", "/pkg/rollcall.js"] {
            assert!(response(FILES, "", &request(Method::GET, path, "br")).is_none(), "{path}");
        }
        assert!(response(FILES, "", &request(Method::POST, "/favicon.svg", "br")).is_none());
    }

    #[test]
    fn a_built_file_is_found_by_its_name_with_a_hash() {
        let found = |output_name, kind| hashed_name(FILES, "pkg", output_name, kind);
        assert_eq!(found("rollcall", "js").as_deref(), Some("rollcall.AbC-1_2.js"));
        assert_eq!(found("rollcall", "css"), None);
        assert_eq!(found("roll", "js"), None);
    }

    #[test]
    fn the_etag_changes_with_any_file() {
        let all = etag(FILES).unwrap();
        assert_eq!(etag(FILES).unwrap(), all);
        assert_ne!(etag(&FILES[1..]).unwrap(), all);
    }
}
