//! The fingerprints of a page's hydrated parts: of their elements, texts and comments, in order.
//!
//! Hydration walks these nodes and stops with an error at the first one that is not as the server rendered
//! it. Proxies, translators and extensions change them, so `start.js` computes the same fingerprint from the
//! DOM right before it hydrates a part. Attributes don't count: hydration does not read them.

use std::{borrow::Cow, collections::BTreeMap};

/// The attribute of an element whose content is no part of what is around it.
const PART: &str = "data-part";
/// The part that no one hydrates: small scripts and the server change it.
const SERVER_ONLY: &str = "server";
/// Elements without content and end tag.
const VOID_ELEMENTS: [&str; 6] = ["br", "hr", "img", "input", "link", "meta"];

/// The fingerprint of each part of well-formed HTML, by its name; `root` is the name of the outermost one.
///
/// It reads what our own views render, and is no parser for the HTML of others.
pub(crate) fn fingerprints<'html>(html: &'html str, root: &'html str) -> BTreeMap<String, u32> {
    let mut parts = BTreeMap::from([(root, Fingerprint::default())]);
    // The part of each open element's content; none where it does not count.
    let mut open = vec![Some(root)];
    for token in Tokens(html) {
        if let Token::End = token {
            open.pop();
        }
        let part = open.last().copied().flatten();
        let mut add = |kind: &str, text: &str| {
            if let Some(fingerprint) = part.and_then(|part| parts.get_mut(part)) {
                fingerprint.add(kind, text);
            }
        };
        match token {
            Token::Text(text) => add("#", &decode(text)),
            Token::Comment(text) => add("!", text),
            Token::End => add(">", ""),
            Token::Start { name, part: inner, is_closed } => {
                add("<", name);
                if is_closed || VOID_ELEMENTS.contains(&name) {
                    add(">", "");
                    continue;
                }
                let content = match inner {
                    None => part,
                    Some(SERVER_ONLY) => None,
                    Some(inner) => {
                        parts.entry(inner).or_default();
                        Some(inner)
                    }
                };
                open.push(content);
            }
        }
    }
    parts.into_iter().map(|(part, Fingerprint(hash))| (part.to_owned(), hash)).collect()
}

/// 32-bit FNV-1a over the UTF-16 code units, which are what JavaScript's strings consist of.
struct Fingerprint(u32);

impl Default for Fingerprint {
    fn default() -> Self {
        Self(0x811c_9dc5)
    }
}

impl Fingerprint {
    /// Adds what kind of node it is, its text and its end.
    fn add(&mut self, kind: &str, text: &str) {
        for unit in kind.encode_utf16().chain(text.encode_utf16()).chain([0]) {
            self.0 = (self.0 ^ u32::from(unit)).wrapping_mul(0x0100_0193);
        }
    }
}

/// A piece of HTML.
#[derive(Debug, PartialEq, Eq)]
enum Token<'html> {
    /// A start tag, with the value of its `data-part`.
    Start {
        name: &'html str,
        part: Option<&'html str>,
        /// It is its own end tag, as in SVG.
        is_closed: bool,
    },
    End,
    Text(&'html str),
    Comment(&'html str),
}

struct Tokens<'html>(&'html str);

impl<'html> Iterator for Tokens<'html> {
    type Item = Token<'html>;

    fn next(&mut self) -> Option<Token<'html>> {
        let html = self.0;
        let Some(rest) = html.strip_prefix('<') else {
            let (text, rest) = html.split_at(html.find('<').unwrap_or(html.len()));
            self.0 = rest;
            return (!text.is_empty()).then_some(Token::Text(text));
        };
        if let Some(rest) = rest.strip_prefix("!--") {
            let (text, rest) = rest.split_once("-->")?;
            self.0 = rest;
            return Some(Token::Comment(text));
        }
        let (tag, rest) = rest.split_at(end_of_tag(rest)?);
        self.0 = rest.get(1..)?;
        Some(match tag.strip_prefix('!') {
            // `<!>` separates two texts: an empty comment.
            Some(text) => Token::Comment(text),
            None if tag.starts_with('/') => Token::End,
            None => Token::Start {
                name: tag.split([' ', '/']).next()?,
                part: part_of(tag),
                is_closed: tag.ends_with('/'),
            },
        })
    }
}

/// Where the `>` of a tag is: not within a quoted value.
fn end_of_tag(html: &str) -> Option<usize> {
    let mut quote = None;
    html.bytes().position(|byte| {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
        quote.is_none() && byte == b'>'
    })
}

fn part_of(tag: &str) -> Option<&str> {
    let (_, value) = tag.split_once(PART)?;
    value.strip_prefix("=\"")?.split('"').next()
}

/// The text that Leptos escaped.
fn decode(text: &str) -> Cow<'_, str> {
    if text.contains('&') {
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(html: &str) -> u32 {
        fingerprints(html, "main")["main"]
    }

    #[test]
    fn fingerprint_is_as_in_the_browser() {
        // The right values are those of start.js in Chromium for the same HTML.
        assert_eq!(of(""), 0x811c_9dc5);
        let html = "<p class=\"a > b\">Ana &amp; &lt;b&gt;<!>Zo\u{eb} \u{1f642}</p><!--x--><br>";
        let mut expected = Fingerprint::default();
        for text in ["<p", "#Ana & <b>", "!", "#Zo\u{eb} \u{1f642}", ">", "!x", "<br", ">"] {
            expected.add("", text);
        }
        assert_eq!(of(html), expected.0);
    }

    #[test]
    fn fingerprint_changes_with_each_kind_of_node() {
        let html = "<p>Ana<!>Bo</p> <input id=\"name\"><span>1</span>";
        for changed in [
            "<p>AnaBo</p> <input id=\"name\"><span>1</span>",
            "<p>Ana<!>Bo</p><input id=\"name\"><span>1</span>",
            "<p>Ana<!>Bo</p> <input id=\"name\"><div></div><span>1</span>",
            "<p>Ana<!>Bo</p> <input id=\"name\"><span><b>1</b></span>",
            "<p>Ana<!>Bo</p> <input id=\"name\"><span></span>1",
            "<p>Ana<!>Bob</p> <input id=\"name\"><span>1</span>",
        ] {
            assert_ne!(of(changed), of(html), "{changed}");
        }
    }

    #[test]
    fn fingerprint_ignores_attributes() {
        assert_eq!(of("<p title=\"a>b\" hidden>A</p>"), of("<p>A</p>"));
    }

    #[test]
    fn parts_have_fingerprints_of_their_own() {
        let html = "<i>a</i><div data-part=\"list\"><b>Ana</b><i></i></div><p data-part=\"server\"><svg/></p>";
        let all = fingerprints(html, "main");
        assert_eq!(all.keys().collect::<Vec<_>>(), ["list", "main"]);
        assert_eq!(all["main"], of("<i>a</i><div></div><p></p>"));
        assert_eq!(all["list"], of("<b>Ana</b><i></i>"));
    }
}
