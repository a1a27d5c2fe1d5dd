//! The language in which a page answers its visitor.

use std::convert::Infallible;

use app::ssr::{BasePath, Language};
use axum::{
    extract::{FromRequestParts, Query},
    http::{HeaderMap, HeaderValue, Uri, header, request::Parts},
};
use cookie::{Cookie, SameSite, time::Duration};
use serde::Deserialize;

/// The name of the cookie that keeps a visitor's choice.
const COOKIE: &str = "rollcall-language";
/// As long as browsers keep a cookie at most.
const COOKIE_LIFE: Duration = Duration::days(400);
/// More is not read of an `Accept-Language` header: browsers send a few dozen bytes.
const LONGEST_HEADER: usize = 500;

/// The language of a page: the one that `?lang=` names, else the visitor's last choice, else the first of
/// `Accept-Language` that the page speaks, else English.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PageLanguage {
    /// The language.
    pub(crate) language: Language,
    /// The address names it, so it is kept for other pages.
    is_chosen: bool,
}

/// The query of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LanguageQuery {
    lang: String,
}

impl PageLanguage {
    /// The language for this request.
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let query = Query::<LanguageQuery>::try_from_uri(uri).map(|Query(query)| query);
        if let Some(language) = Language::of_tag(&query.unwrap_or_default().lang) {
            return Self { language, is_chosen: true };
        }
        let language = last_choice(headers).or_else(|| accepted(headers)).unwrap_or_default();
        Self { language, is_chosen: false }
    }

    /// The cookie that keeps the choice, if the address made one.
    pub(crate) fn cookie(self, base: &BasePath) -> Option<HeaderValue> {
        let cookie = Cookie::build((COOKIE, self.language.tag()))
            .path(base.below("/"))
            .http_only(true)
            .same_site(SameSite::Lax)
            .max_age(COOKIE_LIFE);
        self.is_chosen.then(|| HeaderValue::from_str(&cookie.to_string()).ok()).flatten()
    }
}

impl<S: Sync> FromRequestParts<S> for PageLanguage {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.uri, &parts.headers))
    }
}

fn last_choice(headers: &HeaderMap) -> Option<Language> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut cookies = values.flat_map(Cookie::split_parse).filter_map(Result::ok);
    Language::of_tag(cookies.find(|cookie| cookie.name() == COOKIE)?.value())
}

fn accepted(headers: &HeaderMap) -> Option<Language> {
    let header = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let header = header.get(..LONGEST_HEADER).unwrap_or(header);
    // Sorted by preference (RFC 9110, section 12.5.4).
    accept_language::parse(header).iter().find_map(|tag| Language::of_tag(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(uri: &str, headers: &[(&'static str, &str)]) -> Language {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()));
        PageLanguage::of(&uri.parse().unwrap(), &headers.collect()).language
    }

    #[test]
    fn the_address_counts_before_the_last_choice_and_that_before_the_browsers_languages() {
        let german = ("cookie", "x=1; rollcall-language=de");
        let french = ("accept-language", "fr-CH, fr;q=0.9");
        assert_eq!(language("/?lang=ja", &[german, french]), Language::Japanese);
        assert_eq!(language("/?wall&lang=pt-BR", &[]), Language::Portuguese);
        assert_eq!(language("/", &[german, french]), Language::German);
        assert_eq!(language("/", &[french]), Language::French);
        assert_eq!(language("/", &[]), Language::English);
    }

    #[test]
    fn the_preferred_language_that_the_page_speaks_is_taken() {
        for (header, expected) in [
            ("sv, da;q=0.8", Language::English),
            ("sv, uk;q=0.5, pl;q=0.8", Language::Polish),
            ("*", Language::English),
            ("", Language::English),
            ("zh-TW,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("iw", Language::Hebrew),
            (&"a,".repeat(10_000), Language::English),
        ] {
            assert_eq!(language("/", &[("accept-language", header)]), expected, "{header:.40}");
        }
        assert_eq!(language("/?lang=klingon", &[("accept-language", "it")]), Language::Italian);
    }

    #[test]
    fn only_a_choice_is_kept() {
        let of = |uri: &str| PageLanguage::of(&uri.parse().unwrap(), &HeaderMap::new());
        let base = BasePath::default();
        assert_eq!(of("/").cookie(&base), None);
        let cookie = of("/?lang=de").cookie(&base).unwrap();
        let cookie = cookie.to_str().unwrap();
        assert!(
            cookie.starts_with("rollcall-language=de; ") && cookie.contains("Path=/"),
            "{cookie}"
        );
    }
}
