//! A `Cookie` header: nobody is anybody whom the server did not make, and nothing hides whom it did.

#![no_main]

use axum::http::{HeaderMap, HeaderValue, header};
use libfuzzer_sys::fuzz_target;
use server::identity::person_cookie::{Person, PersonCookies};
use server::url::Scheme;

/// Who sends these lines as `Cookie` headers.
fn sender(persons: &PersonCookies, lines: &[&[u8]]) -> Option<Person> {
    let values = lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok());
    let headers = HeaderMap::from_iter(values.map(|value| (header::COOKIE, value)));
    persons.identify(&headers).ok()
}

/// The bytes that a cookie becomes when these are laid over it: where they are zero it stays as it is.
fn tampered(cookie: &[u8], bytes: &[u8]) -> Vec<u8> {
    let over = bytes.iter().chain(std::iter::repeat(&0));
    cookie.iter().zip(over).map(|(byte, over)| byte ^ over).collect()
}

fuzz_target!(|bytes: &[u8]| {
    for transport in [Scheme::Http, Scheme::Https] {
        let Some(persons) = PersonCookies::from_key(&[7; 64], transport) else { return };
        // The same twice is somebody who is known: that takes a signature with the key, which is nowhere in here.
        assert!(sender(&persons, &[bytes]) != sender(&persons, &[bytes]), "a cookie was forged");

        let Some(ana) = sender(&persons, &[]) else { return };
        let Some(set_cookie) = persons.set_cookie(ana) else { return };
        let cookie = set_cookie.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        // Whatever stands in front of it or behind it, the cookie is found.
        for lines in [[bytes, cookie], [cookie, bytes]] {
            assert!(sender(&persons, &lines) == Some(ana), "a cookie was hidden");
        }
        // Whoever changes something in it is nobody, or still the same.
        let changed = tampered(cookie, bytes);
        let one = sender(&persons, &[&changed]);
        assert!(
            one == Some(ana) || one != sender(&persons, &[&changed]),
            "a cookie of somebody else was made from one's own"
        );
    }
});
