//! The path below which the site is served.

use std::{fmt, str::FromStr, sync::Arc};

use leptos::prelude::use_context;

use crate::presence::RoomName;

/// The path below which the site is served: empty at the root of a host, else like `/rollcall`.
///
/// What the server renders takes it from the context, and the browser from what the server rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasePath(Arc<str>);

/// The text is not a path below which a site can be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasePathError;

impl BasePath {
    /// That of the context; the root without one.
    pub(crate) fn of_context() -> Self {
        use_context().unwrap_or_default()
    }

    /// The path as text: `/rollcall`, or nothing.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For the attribute from which the browser reads it; none at the root.
    pub(crate) fn as_attribute(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.to_string())
    }

    /// A path of the site, which begins with `/`, as a path of the host.
    pub fn below(&self, path: &str) -> String {
        [&self.0, path].concat()
    }

    /// The path of a room's page.
    pub fn room(&self, room: &RoomName) -> String {
        self.below(&format!("/r/{room}"))
    }

    /// The rest of a host's path that is below this one.
    pub fn strip<'path>(&self, path: &'path str) -> Option<&'path str> {
        let rest = path.strip_prefix(&*self.0)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    }
}

impl Default for BasePath {
    fn default() -> Self {
        Self("".into())
    }
}

impl FromStr for BasePath {
    type Err = BasePathError;

    /// Only characters that need no escape in a URL (RFC 3986, section 2.3), and no path of the site itself:
    /// a proxy may strip the base path, and then `/r/a` has to be a room.
    fn from_str(text: &str) -> Result<Self, BasePathError> {
        let path = text.strip_suffix('/').unwrap_or(text);
        if path.is_empty() {
            return Ok(Self::default());
        }
        let segments = path.strip_prefix('/').ok_or(BasePathError)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_segment =
            |segment: &str| !["", ".", ".."].contains(&segment) && segment.bytes().all(is_plain);
        let is_own = segments.split('/').next().is_some_and(|first| ["r", "api"].contains(&first));
        if is_own || !segments.split('/').all(is_segment) {
            return Err(BasePathError);
        }
        Ok(Self(path.into()))
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_accepted_with_and_without_a_slash_at_its_end() {
        for (text, path) in [
            ("", ""),
            ("/", ""),
            ("/rollcall", "/rollcall"),
            ("/rollcall/", "/rollcall"),
            ("/a/b-c_d.e~f", "/a/b-c_d.e~f"),
        ] {
            let base: BasePath = text.parse().unwrap();
            assert_eq!(base.as_str(), path);
            assert_eq!(base.to_string().parse(), Ok(base.clone()));
            assert_eq!(base.below("/privacy"), format!("{path}/privacy"));
            assert_eq!(base.room(&RoomName::lobby()), format!("{path}/r/lobby"));
        }
    }

    #[test]
    fn a_path_that_needs_escapes_or_is_a_room_is_refused() {
        for text in [
            "rollcall", "//", "/a//b", "/../a", "/a/.", "/a b", "/a%20b", "/é", "/a?", "/r",
            "/r/a", "/api",
        ] {
            assert_eq!(text.parse::<BasePath>(), Err(BasePathError), "{text}");
        }
    }

    #[test]
    fn only_paths_below_are_stripped() {
        let base: BasePath = "/rollcall".parse().unwrap();
        for (path, rest) in [
            ("/rollcall", Some("")),
            ("/rollcall/", Some("/")),
            ("/rollcall/r/a", Some("/r/a")),
            ("/rollcalls", None),
            ("/r/a", None),
        ] {
            assert_eq!(base.strip(path), rest, "{path}");
        }
        assert_eq!(BasePath::default().strip("/r/a"), Some("/r/a"));
    }
}
