//! What the frame of an embed shows while the server takes no request of this client.

use leptos::prelude::*;

use crate::text::{language::Language, strings, texts::ServerText};

/// The document as text, with why the client is rejected. It loads the embed again after `seconds`, and then whenever
/// the server says; `nonce` is that of the response.
///
/// It needs no file: the request for one would be rejected like this one.
pub fn rejected_embed_document(reason: &str, seconds: u64, nonce: &str) -> String {
    document(reason, seconds, nonce).to_html()
}

fn document(reason: &str, seconds: u64, nonce: &str) -> impl IntoView + use<> {
    let language = Language::of_context();
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
                        <span data-refusal="">{reason.to_owned()}</span>
                        " "
                        {ServerText::TriesAgain.get()}
                    </p>
                </main>
            </body>
        </html>
    }
}

/// `retryIn(seconds)`, which loads the embed again once the server answers.
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
    fn the_frame_of_a_rejected_client_says_why_and_tries_again() {
        let html = rejected_embed_document("The server is at <capacity>.", 7, "abc");
        for part in [
            r#"<span data-refusal="">The server is at &lt;capacity&gt;.</span>"#,
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
