//! Fuzzes the `Cookie` header: no input may forge a cookie, or hide a valid one.

#![no_main]

use axum::http::{HeaderMap, HeaderValue, header};
use libfuzzer_sys::fuzz_target;
use server::identity::person_cookie::{Person, PersonCookies};
use server::url::Scheme;

/// The person of a request with these `Cookie` headers.
fn sender(persons: &PersonCookies, lines: &[&[u8]]) -> Option<Person> {
    let values = lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok());
    let headers = HeaderMap::from_iter(values.map(|value| (header::COOKIE, value)));
    persons.identify(&headers, None).ok()
}

/// The cookie with these bytes XORed onto it.
fn tampered(cookie: &[u8], bytes: &[u8]) -> Vec<u8> {
    let over = bytes.iter().chain(std::iter::repeat(&0));
    cookie.iter().zip(over).map(|(byte, over)| byte ^ over).collect()
}

fuzz_target!(|bytes: &[u8]| {
    for transport in [Scheme::Http, Scheme::Https] {
        let Some(persons) = PersonCookies::from_key(&[7; 64], transport) else { return };
        // Unknown visitors get a new id each time. The same id twice would need a signature with the key.
        assert!(sender(&persons, &[bytes]) != sender(&persons, &[bytes]), "a cookie was forged");

        let Some(ana) = sender(&persons, &[]) else { return };
        let Some(set_cookie) = persons.set_cookie(ana, None) else { return };
        let cookie = set_cookie.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        // A valid cookie is found before or after other input.
        for lines in [[bytes, cookie], [cookie, bytes]] {
            assert!(sender(&persons, &lines) == Some(ana), "a cookie was hidden");
        }
        // A changed cookie is invalid, or still the same person's.
        let changed = tampered(cookie, bytes);
        let one = sender(&persons, &[&changed]);
        assert!(
            one == Some(ana) || one != sender(&persons, &[&changed]),
            "a changed cookie identifies another person"
        );
    }
});
