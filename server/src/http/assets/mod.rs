//! The page's own files: its script, WASM, style sheet and icons, in a folder or within the program.

mod embedded;

use std::{
    convert::Infallible,
    env, fs,
    path::{Path, PathBuf},
};

use app::ssr::AssetUrls;
use axum::{
    extract::Request,
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use leptos::config::LeptosOptions;
use tower::{
    ServiceExt,
    util::{BoxCloneSyncService, MapResponse},
};
use tower_http::services::ServeDir;

pub use self::embedded::{EMBEDDED, EmbeddedFile};

/// Where they are, if nobody says, and the program has none.
const USUAL_FOLDER: &str = "target/site";

/// Where the page's files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// In a folder.
    Folder(PathBuf),
    /// Within the program.
    Program(&'static [EmbeddedFile]),
}

/// Answers requests for files; what is not there is left to the page that says so.
pub(crate) type FileService = BoxCloneSyncService<Request, Response, Infallible>;

impl Site {
    /// In the folder that is set; else within the program, where it has some.
    pub fn new(folder: Option<&Path>) -> Self {
        match folder {
            Some(folder) => Self::Folder(folder.to_owned()),
            None if EMBEDDED.is_empty() => Self::Folder(USUAL_FOLDER.into()),
            None => Self::Program(EMBEDDED),
        }
    }

    /// The folder, if it is one.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Program(_) => None,
        }
    }

    /// The addresses of the page's script, WASM and style sheet.
    pub(crate) fn asset_urls(&self, options: &LeptosOptions) -> AssetUrls {
        let LeptosOptions { output_name, site_pkg_dir, .. } = options;
        let address = |kind: &str, hash: Option<String>| match hash {
            Some(hash) => format!("/{site_pkg_dir}/{output_name}.{hash}.{kind}"),
            None => format!("/{site_pkg_dir}/{output_name}.{kind}"),
        };
        let hash_of = |kind: &str| match self {
            Self::Folder(_) if options.hash_files => hash_beside_the_program(options, kind),
            Self::Folder(_) => None,
            Self::Program(files) => embedded::hash_of(files, site_pkg_dir, output_name, kind),
        };
        let address = |kind| address(kind, hash_of(kind));
        AssetUrls { script: address("js"), wasm: address("wasm"), style: address("css") }
    }

    /// Whether the names of the built files change with their content.
    pub(crate) fn has_hashed_names(&self, options: &LeptosOptions) -> bool {
        match self {
            Self::Folder(_) => options.hash_files,
            Self::Program(files) => {
                let LeptosOptions { output_name, site_pkg_dir, .. } = options;
                embedded::hash_of(files, site_pkg_dir, output_name, "js").is_some()
            }
        }
    }

    /// Serves all files; `not_found` answers for what is not there.
    pub(crate) fn service(&self, not_found: MethodRouter) -> FileService {
        match self {
            Self::Folder(folder) => BoxCloneSyncService::new(MapResponse::new(
                ServeDir::new(folder)
                    .append_index_html_on_directories(false)
                    .precompressed_br()
                    .precompressed_gzip()
                    .not_found_service(not_found),
                IntoResponse::into_response,
            )),
            Self::Program(files) => embedded_service(files, "", not_found),
        }
    }

    /// Serves the built files only, which are in this folder of the site.
    pub(crate) fn package_service(&self, package: &str, not_found: MethodRouter) -> FileService {
        match self {
            Self::Folder(folder) => BoxCloneSyncService::new(MapResponse::new(
                ServeDir::new(folder.join(package)).precompressed_br().precompressed_gzip(),
                IntoResponse::into_response,
            )),
            Self::Program(files) => embedded_service(files, package, not_found),
        }
    }
}

fn embedded_service(
    files: &'static [EmbeddedFile],
    folder: &str,
    not_found: MethodRouter,
) -> FileService {
    let folder = folder.to_owned();
    BoxCloneSyncService::new(tower::service_fn(move |request: Request| {
        let answer = embedded::answer(files, &folder, &request);
        let not_found = not_found.clone();
        async move {
            match answer {
                Some(answer) => Ok(answer),
                None => not_found.oneshot(request).await,
            }
        }
    }))
}

/// The hash that cargo-leptos put into the name of a built file: it stands beside the program.
fn hash_beside_the_program(options: &LeptosOptions, kind: &str) -> Option<String> {
    let program = env::current_exe().ok()?;
    let hashes = fs::read_to_string(program.with_file_name(&*options.hash_file)).ok()?;
    let mut lines = hashes.lines().filter_map(|line| line.trim().split_once(':'));
    lines.find(|(of, _)| *of == kind).map(|(_, hash)| hash.trim().to_owned())
}
