//! The page's files: script, WASM, style sheet and icons, in a directory or embedded in the program.

mod built_files;
mod embedded;

use std::{
    convert::Infallible,
    fs,
    path::{Path, PathBuf},
};

use app::ssr::AssetUrls;
use axum::{
    extract::Request,
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use leptos::config::LeptosOptions;
use sha2::{Digest, Sha256};
use tower::{
    ServiceExt,
    util::{BoxCloneSyncService, MapResponse},
};
use tower_http::services::ServeDir;

pub use self::{
    built_files::SiteError,
    embedded::{EMBEDDED, EmbeddedFile},
};
use crate::hex::hex;

/// How many hexadecimal digits tell two builds apart.
const BUILD_LENGTH: usize = 16;

/// The default, if the program has no embedded files.
const DEFAULT_DIRECTORY: &str = "target/site";

/// The source of the page's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// A directory.
    Directory(PathBuf),
    /// Embedded in the program.
    Embedded(&'static [EmbeddedFile]),
}

/// Answers requests for files, and with the "not found" page where there is none.
pub(crate) type FileService = BoxCloneSyncService<Request, Response, Infallible>;

impl Site {
    /// The configured directory; else the embedded files, if there are any.
    pub fn new(directory: Option<&Path>) -> Self {
        match directory {
            Some(directory) => Self::Directory(directory.to_owned()),
            None if EMBEDDED.is_empty() => Self::Directory(DEFAULT_DIRECTORY.into()),
            None => Self::Embedded(EMBEDDED),
        }
    }

    /// The directory, if it is one.
    pub fn directory(&self) -> Option<&Path> {
        match self {
            Self::Directory(directory) => Some(directory),
            Self::Embedded(_) => None,
        }
    }

    /// The URLs of the page's script, WASM and style sheet.
    pub(crate) fn asset_urls(&self, options: &LeptosOptions) -> AssetUrls {
        let LeptosOptions { output_name, site_pkg_dir, .. } = options;
        let name = |kind: &str| {
            let name = match self {
                Self::Directory(directory) => {
                    built_files::name(&directory.join(&**site_pkg_dir), options, kind).ok()
                }
                Self::Embedded(files) => {
                    embedded::hashed_name(files, site_pkg_dir, output_name, kind)
                }
            };
            name.unwrap_or_else(|| format!("{output_name}.{kind}"))
        };
        let url = |kind| format!("/{site_pkg_dir}/{}", name(kind));
        AssetUrls { script: url("js"), wasm: url("wasm"), style: url("css"), build: self.build() }
    }

    /// What tells this program with these files apart from any other.
    fn build(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(env!("CARGO_PKG_VERSION"));
        match self {
            Self::Directory(directory) => hash_directory(directory, &mut hasher),
            Self::Embedded(files) => {
                for file in *files {
                    hasher.update(file.path);
                    hasher.update(file.content);
                }
            }
        }
        hex(&hasher.finalize()).chars().take(BUILD_LENGTH).collect()
    }

    /// Whether the built files are there; those embedded always are.
    pub fn check(&self, options: &LeptosOptions) -> Result<(), SiteError> {
        self.directory().map_or(Ok(()), |directory| built_files::check(directory, options))
    }

    /// Whether the names of the built files contain a hash of their content.
    pub(crate) fn has_hashed_names(&self, options: &LeptosOptions) -> bool {
        let plain = format!("/{}.js", options.output_name);
        !self.asset_urls(options).script.ends_with(&plain)
    }

    /// Serves all files; `not_found` answers for missing ones.
    pub(crate) fn service(&self, not_found: MethodRouter) -> FileService {
        match self {
            Self::Directory(directory) => BoxCloneSyncService::new(MapResponse::new(
                ServeDir::new(directory)
                    .append_index_html_on_directories(false)
                    .precompressed_br()
                    .precompressed_gzip()
                    // `not_found_service` would make a redirect a 404.
                    .fallback(not_found),
                IntoResponse::into_response,
            )),
            Self::Embedded(files) => embedded_service(files, "", not_found),
        }
    }

    /// Serves only the built files, which are in the subdirectory `package`. It gets the rest of the path below that,
    /// of which `not_found` must make no address.
    pub(crate) fn package_service(&self, package: &str, not_found: MethodRouter) -> FileService {
        match self {
            Self::Directory(directory) => BoxCloneSyncService::new(MapResponse::new(
                ServeDir::new(directory.join(package))
                    // It would redirect to the rest of the path, below the package.
                    .append_index_html_on_directories(false)
                    .precompressed_br()
                    .precompressed_gzip(),
                IntoResponse::into_response,
            )),
            Self::Embedded(files) => embedded_service(files, package, not_found),
        }
    }
}

fn embedded_service(
    files: &'static [EmbeddedFile],
    directory: &str,
    not_found: MethodRouter,
) -> FileService {
    let directory = directory.to_owned();
    BoxCloneSyncService::new(tower::service_fn(move |request: Request| {
        let response = embedded::response(files, &directory, &request);
        let not_found = not_found.clone();
        async move {
            match response {
                Some(response) => Ok(response),
                None => not_found.oneshot(request).await,
            }
        }
    }))
}

/// Adds the names and the content of all files. A file that can't be read is left out: serving it fails too.
fn hash_directory(directory: &Path, hasher: &mut Sha256) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            hash_directory(&path, hasher);
        } else if let Ok(content) = fs::read(&path) {
            hasher.update(path.file_name().unwrap_or_default().as_encoded_bytes());
            hasher.update(content);
        }
    }
}
