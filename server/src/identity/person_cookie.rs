//! The signed cookie that identifies a browser, and the public ids derived from it.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use app::presence::{RoomName, UserId};
use axum::http::{HeaderMap, HeaderValue};
use cookie::{Cookie, CookieJar, Key, SameSite, time};
use hmac::{Hmac, Mac};
use sha2::Sha256;

pub use super::cookie_scope::{CookieScope, SitePort};
use super::{host_secret::HostSecrets, key_pattern::is_patterned, request_cookies};
use crate::{
    hex::{decode_hex, hex},
    storage::{
        private_file,
        secret_file::{self, ExposedError, SecretFileError},
    },
    url::Scheme,
};

/// The cookie's lifetime after the last visit: the maximum in browsers (RFC 6265bis).
const COOKIE_LIFE: time::Duration = time::Duration::days(400);

/// The key's length in bytes, as the cookie library requires it; half of it signs.
const KEY_IN_BYTES: usize = 64;

/// The key's file in the state directory.
pub(super) const KEY_FILE: &str = "person.key";

/// One browser: 128 random bits. They are the secret that proves the person, and are only in the cookie.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Person([u8; 16]);

/// The holder of a token: 128 bits of a keyed hash. No cookie has them, so nobody else can be this person.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenPerson([u8; 16]);

impl fmt::Debug for TokenPerson {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenPerson(secret)")
    }
}

#[cfg(test)]
impl Person {
    /// With a secret that a test chooses.
    pub(crate) fn of(secret: [u8; 16]) -> Self {
        Self(secret)
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Person(secret)")
    }
}

/// Identifies persons by their cookies, which it signs with the server's key.
pub struct PersonCookies {
    scope: CookieScope,
    signing: Key,
    public_ids: Hmac<Sha256>,
    token_persons: Hmac<Sha256>,
    hosts: HostSecrets,
    fingerprint: String,
}

impl fmt::Debug for PersonCookies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PersonCookies(secret)")
    }
}

/// An error with the key that signs cookies.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file in the state directory can't be read or created.
    #[error("The key in {} can't be used: {source}. Set state-dir to a directory that the server can write to.", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file in the state directory has another length than a key.
    #[error("{} is not {KEY_IN_BYTES} bytes long. If you remove it, the server creates a new key, and all visitors get new identities.", path.display())]
    Length {
        /// The file.
        path: PathBuf,
    },
    /// The configured file can't be read.
    #[error("{}, which is set as person-key-file, can't be read: {source}.", path.display())]
    GivenFile {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The configured file has another length than a key.
    #[error("{}, which is set as person-key-file, is not {KEY_IN_BYTES} bytes long.", path.display())]
    GivenLength {
        /// The file.
        path: PathBuf,
    },
    /// The file in the state directory was not made of random numbers.
    #[error("{} follows a pattern, so anybody could guess it. If you remove it, the server creates a new key, and all visitors get new identities.", path.display())]
    Patterned {
        /// The file.
        path: PathBuf,
    },
    /// The configured file was not made of random numbers.
    #[error("{}, which is set as person-key-file, follows a pattern, so anybody could guess it: `head -c {KEY_IN_BYTES} /dev/urandom` makes a key.", path.display())]
    GivenPatterned {
        /// The file.
        path: PathBuf,
    },
    /// Others have access to the file.
    #[error(transparent)]
    Exposed(#[from] ExposedError),
    /// The system provides no random numbers.
    #[error("The system provides no random numbers for a key: {0}.")]
    Randomness(#[from] getrandom::Error),
}

impl PersonCookies {
    /// With the key in `state_directory`, created there (mode 0600) if there is none.
    pub fn from_state_directory(
        state_directory: &Path,
        scope: impl Into<CookieScope>,
    ) -> Result<Self, KeyError> {
        let path = state_directory.join(KEY_FILE);
        let file_error = |source| KeyError::File { path: path.clone(), source };
        match secret_file::read_own(&path) {
            Ok(key) if is_patterned(&key) => Err(KeyError::Patterned { path }),
            Ok(key) => Self::from_key(&key, scope).ok_or(KeyError::Length { path }),
            Err(SecretFileError::Unreadable(error)) if error.kind() == io::ErrorKind::NotFound => {
                let mut key = [0; KEY_IN_BYTES];
                getrandom::fill(&mut key)?;
                private_file::create_directory(state_directory).map_err(file_error)?;
                private_file::write(&path, &key).map_err(file_error)?;
                Self::from_key(&key, scope).ok_or(KeyError::Length { path })
            }
            Err(SecretFileError::Unreadable(source)) => Err(file_error(source)),
            Err(SecretFileError::Exposed(exposed)) => Err(exposed.into()),
        }
    }

    /// Whether [`PersonCookies::from_state_directory`] would succeed; creates nothing.
    pub fn check_state_directory(state_directory: &Path) -> Result<(), KeyError> {
        let path = state_directory.join(KEY_FILE);
        if path.exists() {
            return Self::from_state_directory(state_directory, Scheme::Http).map(drop);
        }
        private_file::check_creatable(state_directory)
            .map_err(|source| KeyError::File { path, source })
    }

    /// With the key in a configured file, which has to exist.
    pub fn from_key_file(path: &Path, scope: impl Into<CookieScope>) -> Result<Self, KeyError> {
        let key = match secret_file::read_given("person-key-file", path) {
            Ok(key) if is_patterned(&key) => {
                return Err(KeyError::GivenPatterned { path: path.to_owned() });
            }
            Ok(key) => key,
            Err(SecretFileError::Unreadable(source)) => {
                return Err(KeyError::GivenFile { path: path.to_owned(), source });
            }
            Err(SecretFileError::Exposed(exposed)) => return Err(exposed.into()),
        };
        Self::from_key(&key, scope).ok_or_else(|| KeyError::GivenLength { path: path.to_owned() })
    }

    /// With a key of 64 bytes; none for another length.
    pub fn from_key(key: &[u8], scope: impl Into<CookieScope>) -> Option<Self> {
        if key.len() != KEY_IN_BYTES {
            return None;
        }
        // Each purpose has a key of its own, derived from the stored one.
        let derive = |purpose: &[u8]| {
            let mut derivation = Hmac::<Sha256>::new_from_slice(key).ok()?;
            derivation.update(purpose);
            Some(derivation.finalize().into_bytes())
        };
        let public_ids = Hmac::new_from_slice(&derive(b"rollcall public ids 1")?).ok()?;
        let token_persons = Hmac::new_from_slice(&derive(b"rollcall persons of tokens 1")?).ok()?;
        let scope = scope.into();
        let hosts = HostSecrets::new(&derive(b"rollcall host secrets 1")?, scope.clone())?;
        let fingerprint = hex(&derive(b"rollcall key fingerprint 1")?[..8]);
        Some(Self { scope, signing: Key::from(key), public_ids, token_persons, hosts, fingerprint })
    }

    pub(super) fn scope(&self) -> &CookieScope {
        &self.scope
    }

    /// The secrets of the rooms' hosts, which are derived from the same key.
    pub fn hosts(&self) -> &HostSecrets {
        &self.hosts
    }

    /// Tells two keys apart, and nothing else of them: 16 hexadecimal digits.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The person of a request with these headers; without a valid cookie, a new one.
    pub fn identify(
        &self,
        headers: &HeaderMap,
        port: SitePort,
    ) -> Result<Person, getrandom::Error> {
        match self.known(headers, port) {
            Some(person) => Ok(person),
            None => Self::new_person(),
        }
    }

    /// A person whom nobody has met.
    pub fn new_person() -> Result<Person, getrandom::Error> {
        let mut secret = [0; 16];
        getrandom::fill(&mut secret)?;
        Ok(Person(secret))
    }

    /// The person whom a token names: the same on every device, and nobody's cookie.
    pub fn person_of_token(&self, issuer: Option<&str>, subject: &str) -> TokenPerson {
        let mut mac = self.token_persons.clone();
        // Two pairs never are the same bytes.
        match issuer {
            None => mac.update(&[0]),
            Some(issuer) => {
                mac.update(&[1]);
                mac.update(&u64::try_from(issuer.len()).unwrap_or(u64::MAX).to_be_bytes());
                mac.update(issuer.as_bytes());
            }
        }
        mac.update(subject.as_bytes());
        let hash = mac.finalize().into_bytes();
        TokenPerson(std::array::from_fn(|index| hash[index]))
    }

    /// The `Set-Cookie` header that identifies the browser as this person from now on.
    pub fn set_cookie(&self, person: Person, port: SitePort) -> Option<HeaderValue> {
        let mut jar = CookieJar::new();
        let name = self.scope.cookie_name(port);
        let cookie = Cookie::build((name.clone(), hex(&person.0)))
            .path(self.scope.path())
            .secure(self.scope.scheme == Scheme::Https)
            .http_only(true)
            .same_site(SameSite::Lax)
            .max_age(COOKIE_LIFE);
        jar.signed_mut(&self.signing).add(cookie);
        // The signature is base64, whose characters a cookie's value may have (RFC 6265, section 4.1.1).
        HeaderValue::from_str(&jar.get(&name)?.to_string()).ok()
    }

    /// The id of a person that others in the room see: stable over restarts, different in every room.
    pub fn public_id(&self, person: Person, room: &RoomName) -> UserId {
        UserId::of_unverified(self.id_bits(person.0, room))
    }

    /// The same of the holder of a token, which says that it is one.
    pub fn public_id_of_token(&self, person: TokenPerson, room: &RoomName) -> UserId {
        UserId::of_verified(self.id_bits(person.0, room))
    }

    fn id_bits(&self, secret: [u8; 16], room: &RoomName) -> u128 {
        let mut mac = self.public_ids.clone();
        mac.update(&secret);
        mac.update(room.as_str().as_bytes());
        let hash = mac.finalize().into_bytes();
        hash.iter().take(16).fold(0, |bits, byte| (bits << 8) | u128::from(*byte))
    }

    /// What a room's embed sends with its requests from a sandboxed frame, where it has no origin: it proves that
    /// the sender could read the embed. Other sites can show the embed and not read it.
    pub fn embed_key(&self, room: &RoomName) -> String {
        hex(&self.embed_mac(room).finalize().into_bytes()[..16])
    }

    /// Whether `key` is the [`PersonCookies::embed_key`] of the room.
    pub fn is_embed_key(&self, key: &str, room: &RoomName) -> bool {
        decode_hex::<16>(key)
            .is_some_and(|key| self.embed_mac(room).verify_truncated_left(&key).is_ok())
    }

    fn embed_mac(&self, room: &RoomName) -> Hmac<Sha256> {
        let mut mac = self.public_ids.clone();
        // Other text in place of a person's 16 bytes: nobody is given an id with this prefix.
        mac.update(b"the embed of room ");
        mac.update(room.as_str().as_bytes());
        mac
    }

    /// The person of a request with these headers, if they have a valid cookie.
    pub fn known(&self, headers: &HeaderMap, port: SitePort) -> Option<Person> {
        // Cookies of earlier versions have no port in their name, nor have those that were set through a proxy
        // that drops the port of some requests. The signature tells them from another server's.
        [port, None].into_iter().find_map(|port| self.named(&self.scope.cookie_name(port), headers))
    }

    fn named(&self, name: &str, headers: &HeaderMap) -> Option<Person> {
        // A second cookie of the name (another path, another port) must not hide a valid one.
        let valid =
            request_cookies::named(headers, name).filter_map(|cookie| self.verified(cookie));
        valid.filter_map(|cookie| decode_hex(cookie.value())).map(Person).next()
    }

    fn verified(&self, cookie: Cookie<'static>) -> Option<Cookie<'static>> {
        CookieJar::new().signed(&self.signing).verify(cookie)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use app::ssr::BasePath;

    use axum::http::header;

    use super::*;

    #[test]
    fn person_of_a_token_is_that_of_its_issuer_and_subject_alone() {
        let person = |issuer: Option<&str>, subject| cookies(1).person_of_token(issuer, subject);
        assert_eq!(person(Some("a"), "bc"), person(Some("a"), "bc"));
        let all = [
            person(Some("a"), "bc"),
            person(Some("ab"), "c"),
            person(Some("abc"), ""),
            person(Some(""), "abc"),
            person(None, "abc"),
            cookies(2).person_of_token(Some("a"), "bc"),
        ];
        for (number, one) in all.iter().enumerate() {
            assert!(!all[..number].contains(one), "{number}");
        }
        let room = RoomName::lobby();
        let id = cookies(1).public_id_of_token(all[0], &room);
        assert!(id.is_verified());
        assert!(!cookies(1).public_id(Person(all[0].0), &room).is_verified());
    }

    fn cookies(byte: u8) -> PersonCookies {
        PersonCookies::from_key(&[byte; KEY_IN_BYTES], Scheme::Http).unwrap()
    }

    fn request_with(cookies: &[&str]) -> HeaderMap {
        cookies.iter().map(|text| (header::COOKIE, HeaderValue::from_str(text).unwrap())).collect()
    }

    /// What a browser sends back of a `Set-Cookie`.
    fn sent_back(set_cookie: &HeaderValue) -> String {
        set_cookie.to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    #[test]
    fn a_returned_cookie_identifies_the_same_person() {
        let cookies = cookies(1);
        let person = cookies.identify(&HeaderMap::new(), None).unwrap();
        let cookie = cookies.set_cookie(person, None).unwrap();
        let header = cookie.to_str().unwrap();
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=34560000"] {
            assert!(header.contains(attribute), "{header}");
        }
        let back = format!("theme=dark; {}; x=y", sent_back(&cookie));
        assert_eq!(cookies.identify(&request_with(&[&back]), None).unwrap(), person);
        let beside_a_false_one = format!("rollcall_person=nonsense; {back}");
        assert_eq!(cookies.identify(&request_with(&[&beside_a_false_one]), None).unwrap(), person);
        let mut beside_a_foreign_one = b"other=\xe9; ".to_vec();
        beside_a_foreign_one.extend_from_slice(back.as_bytes());
        let value = HeaderValue::from_bytes(&beside_a_foreign_one).unwrap();
        let headers = HeaderMap::from_iter([(header::COOKIE, value)]);
        assert_eq!(cookies.identify(&headers, None).unwrap(), person);
        let before_a_false_one = format!("{back}; rollcall_person=nonsense");
        assert_eq!(cookies.identify(&request_with(&[&before_a_false_one]), None).unwrap(), person);
    }

    #[test]
    fn a_cookie_over_https_is_bound_to_its_host() {
        let key = [1; KEY_IN_BYTES];
        let cookies = PersonCookies::from_key(&key, Scheme::Https).unwrap();
        let person = cookies.identify(&HeaderMap::new(), None).unwrap();
        let cookie = cookies.set_cookie(person, None).unwrap();
        let header = cookie.to_str().unwrap();
        assert!(header.starts_with("__Host-rollcall_person="), "{header}");
        assert!(header.contains("; Secure") && header.contains("; Path=/"), "{header}");
        assert!(!header.contains("Domain"), "{header}");
        let back = sent_back(&cookie);
        assert_eq!(cookies.identify(&request_with(&[&back]), None).unwrap(), person);
        // A sibling domain could have set a cookie without the prefix.
        let other = sent_back(
            &crate::identity::person_cookie::tests::cookies(1).set_cookie(person, None).unwrap(),
        );
        assert_ne!(cookies.identify(&request_with(&[&other]), None).unwrap(), person);
    }

    #[test]
    fn an_embed_key_is_valid_for_its_room_and_server_only() {
        let [ours, theirs] = [cookies(1), cookies(2)];
        let [team, other] = ["team", "other"].map(|room| room.parse().unwrap());
        let key = ours.embed_key(&team);
        assert!(ours.is_embed_key(&key, &team));
        assert!(!ours.is_embed_key(&key, &other) && !theirs.is_embed_key(&key, &team));
        for invalid in ["", &key[..30], "nonsense"] {
            assert!(!ours.is_embed_key(invalid, &team), "{invalid}");
        }
    }

    #[test]
    fn a_forged_or_foreign_cookie_is_a_new_person() {
        let ours = cookies(1);
        let person = ours.identify(&HeaderMap::new(), None).unwrap();
        let cookie = sent_back(&cookies(2).set_cookie(person, None).unwrap());
        assert_ne!(ours.identify(&request_with(&[&cookie]), None).unwrap(), person);
        let unsigned = format!("rollcall_person={}", hex(&person.0));
        assert_ne!(ours.identify(&request_with(&[&unsigned]), None).unwrap(), person);
    }

    #[test]
    fn public_ids_are_stable_and_differ_by_room_and_key() {
        let person = Person([7; 16]);
        let id = |key, room: &str| cookies(key).public_id(person, &room.parse().unwrap());
        assert_eq!(id(1, "lobby"), id(1, "lobby"));
        assert_ne!(id(1, "lobby"), id(1, "team"));
        assert_ne!(id(1, "lobby"), id(2, "lobby"));
        let other = cookies(1).public_id(Person([8; 16]), &RoomName::lobby());
        assert_ne!(id(1, "lobby"), other);
    }

    #[test]
    fn the_key_is_created_once_and_kept_secret() {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("deep/state");
        let first = PersonCookies::from_state_directory(&state, Scheme::Http).unwrap();
        let again = PersonCookies::from_state_directory(&state, Scheme::Http).unwrap();
        let person = Person([7; 16]);
        let room = RoomName::lobby();
        assert_eq!(first.public_id(person, &room), again.public_id(person, &room));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(state.join(KEY_FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let given = PersonCookies::from_key_file(&state.join(KEY_FILE), Scheme::Http).unwrap();
        assert_eq!(given.public_id(person, &room), first.public_id(person, &room));
        let missing = PersonCookies::from_key_file(&state.join("missing"), Scheme::Http);
        assert!(matches!(missing, Err(KeyError::GivenFile { .. })));
        fs::write(state.join(KEY_FILE), b"short").unwrap();
        let short = PersonCookies::from_key_file(&state.join(KEY_FILE), Scheme::Http);
        assert!(matches!(short, Err(KeyError::GivenLength { .. })));
        assert!(matches!(
            PersonCookies::from_state_directory(&state, Scheme::Http),
            Err(KeyError::Length { .. })
        ));
    }

    #[test]
    fn cookies_of_two_servers_on_one_host_do_not_replace_each_other() {
        let (one, other) = (cookies(1), cookies(2));
        let person = one.identify(&HeaderMap::new(), Some(3000)).unwrap();
        let guest = other.identify(&HeaderMap::new(), Some(3001)).unwrap();
        let [of_one, of_other] = [
            sent_back(&one.set_cookie(person, Some(3000)).unwrap()),
            sent_back(&other.set_cookie(guest, Some(3001)).unwrap()),
        ];
        assert!(of_one.starts_with("rollcall_person_3000="), "{of_one}");
        assert!(of_other.starts_with("rollcall_person_3001="), "{of_other}");
        let both = request_with(&[&format!("{of_one}; {of_other}")]);
        assert_eq!(one.identify(&both, Some(3000)).unwrap(), person);
        assert_eq!(other.identify(&both, Some(3001)).unwrap(), guest);
    }

    #[test]
    fn a_cookie_without_a_port_in_its_name_is_still_valid() {
        let cookies = cookies(1);
        let person = cookies.identify(&HeaderMap::new(), None).unwrap();
        let earlier = request_with(&[&sent_back(&cookies.set_cookie(person, None).unwrap())]);
        assert_eq!(cookies.identify(&earlier, Some(3000)).unwrap(), person);
    }

    #[test]
    fn a_cookie_below_a_path_is_for_that_path() {
        let base_path: BasePath = "/rollcall".parse().unwrap();
        for (scheme, name) in
            [(Scheme::Http, "rollcall_person="), (Scheme::Https, "__Secure-rollcall_person=")]
        {
            let scope = CookieScope { scheme, base_path: base_path.clone() };
            let cookies = PersonCookies::from_key(&[1; KEY_IN_BYTES], scope).unwrap();
            let person = cookies.identify(&HeaderMap::new(), None).unwrap();
            let cookie = cookies.set_cookie(person, None).unwrap();
            let header = cookie.to_str().unwrap();
            assert!(header.starts_with(name) && header.contains("; Path=/rollcall;"), "{header}");
            let back = request_with(&[&sent_back(&cookie)]);
            assert_eq!(cookies.identify(&back, None).unwrap(), person);
        }
    }
}
