//! Unicode normalisation (UAX #15), by the browser where there is one: the tables would be a tenth of what it loads.

#[cfg(all(feature = "hydrate", target_arch = "wasm32"))]
use js_sys::JsString;
#[cfg(not(all(feature = "hydrate", target_arch = "wasm32")))]
use unicode_normalization::UnicodeNormalization as _;

use crate::presence::{Name, NameError, tidied};

/// The name that a visitor typed, as the server will list it. The server refuses what reverses text.
pub(crate) fn typed_name(typed: &str) -> Result<Name, NameError> {
    let tidy = tidied(typed);
    Name::parse(&composed(tidy.as_deref().unwrap_or(typed)))
}

/// The text in NFKD and lower case.
#[cfg(all(feature = "hydrate", target_arch = "wasm32"))]
pub(super) fn lower_case_decomposed(text: &str) -> String {
    JsString::from(text).normalize("NFKD").to_lower_case().into()
}

#[cfg(not(all(feature = "hydrate", target_arch = "wasm32")))]
pub(super) fn lower_case_decomposed(text: &str) -> String {
    text.nfkd().collect::<String>().to_lowercase()
}

/// The text in NFC, as the server keeps names.
#[cfg(all(feature = "hydrate", target_arch = "wasm32"))]
fn composed(text: &str) -> String {
    JsString::from(text).normalize("NFC").into()
}

#[cfg(not(all(feature = "hydrate", target_arch = "wasm32")))]
fn composed(text: &str) -> String {
    text.nfc().collect()
}
