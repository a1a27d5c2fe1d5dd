//! What a page, or the frame of an embed, shows while the server takes no request of this client.

use leptos::prelude::*;

use crate::text::{language::Language, strings, texts::ServerText};

/// Why a client is rejected, as far as it matters to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectionCause {
    /// The server takes no more of anybody.
    ServerBusy,
    /// It takes no more of the client's network.
    NetworkBusy,
    /// It takes no more of this person.
    TooManyPages,
    /// The servers of a cluster can't reach one another.
    ServersUnreachable,
}

impl RejectionCause {
    fn words(self) -> &'static str {
        match self {
            Self::ServerBusy => ServerText::ServerBusy,
            Self::NetworkBusy => ServerText::NetworkBusy,
            Self::TooManyPages => ServerText::TooManyPages,
            Self::ServersUnreachable => ServerText::ServersUnreachable,
        }
        .get()
    }
}

/// The document as text, with why the client is rejected. It loads the page again after `seconds`, and then whenever the
/// server says; `nonce` is that of the response.
///
/// It needs no file: the request for one would be rejected like this one.
pub fn rejected_document(
    language: Language,
    cause: RejectionCause,
    seconds: u64,
    nonce: &str,
) -> String {
    Owner::new().with(|| {
        provide_context(language);
        document(language, cause, seconds, nonce).to_html()
    })
}

fn document(
    language: Language,
    cause: RejectionCause,
    seconds: u64,
    nonce: &str,
) -> impl IntoView + use<> {
    view! {
        <!DOCTYPE html>
        <html lang=language.tag() dir=language.direction()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <title>{strings::PRODUCT}</title>
                <meta name="robots" content="noindex" />
                <meta name="color-scheme" content="light dark" />
                <noscript>
                    <meta http-equiv="refresh" content=seconds.to_string() />
                </noscript>
                <script nonce=nonce.to_owned()>{format!("{RETRY} retryIn({seconds});")}</script>
            </head>
            <body>
                <main>
                    <h1>{strings::PRODUCT}</h1>
                    <p>
                        <span data-refusal="">{cause.words()}</span>
                        " "
                        {ServerText::TriesAgain.get()}
                    </p>
                </main>
            </body>
        </html>
    }
}

/// `retryIn(seconds)`, which loads the page again once the server answers.
///
/// It asks before it does: a browser replaces a frame whose server is away by an error, for good. In a sandboxed frame
/// the server is another origin, and scripts can't read its answers.
pub(super) const RETRY: &str = "const url = location.origin + location.pathname + location.search; \
     const retryIn = (seconds) => setTimeout(retry, seconds * 1000); \
     async function retry() { \
     if (self.origin === 'null') return location.reload(); \
     const answer = await fetch(url, { cache: 'no-store' }).catch(() => undefined); \
     if (answer && ![429, 503].includes(answer.status)) return location.reload(); \
     retryIn((Number(answer?.headers.get('retry-after')) || 5) * (1 + Math.random())); }";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejected_client_learns_why_in_its_language_and_tries_again() {
        let german = rejected_document(Language::German, RejectionCause::NetworkBusy, 7, "abc");
        for part in ["<html lang=\"de\"", "Aus deinem Netz", "versucht es von selbst wieder"] {
            assert!(german.contains(part), "{part} is missing in {german}");
        }
        let html = rejected_document(Language::English, RejectionCause::ServerBusy, 7, "abc");
        for part in [
            r#"<span data-refusal="">This server is at capacity.</span>"#,
            "tries again by itself",
            r#"<noscript><meta http-equiv="refresh" content="7"></noscript>"#,
            r#"<script nonce="abc">"#,
            "retryIn(7);",
        ] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        // Each of them would be a request that is rejected too.
        for part in [" src=", " href="] {
            assert!(!html.contains(part), "{part} should not be in {html}");
        }
    }
}
