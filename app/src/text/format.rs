//! Numbers, plural categories and times by the rules of the page's language: CLDR's, from ICU4X on the server and from
//! `Intl` in the browser.

#[cfg(not(feature = "ssr"))]
pub(crate) use self::in_browser::{ago, clock_time, number, plural_category};
#[cfg(feature = "ssr")]
pub(crate) use self::on_server::{clock_time, number, plural_category};

#[cfg(feature = "ssr")]
mod on_server {
    use crate::text::catalog::Catalog;

    /// A number with the separators of the language.
    pub(crate) fn number(number: usize) -> String {
        Catalog::of_context().number(number)
    }

    /// The place of a number's plural category in: zero, one, two, few, many, other.
    pub(crate) fn plural_category(count: usize) -> usize {
        Catalog::of_context().plural_category(count)
    }

    /// The hour and minute of a time in seconds since the Unix epoch. The server does not know the visitor's time
    /// zone, so it is in UTC, and says so.
    pub(crate) fn clock_time(seconds: u64) -> String {
        let minutes = seconds / 60;
        format!("{:02}:{:02} UTC", minutes / 60 % 24, minutes % 60)
    }
}

/// `public/format.js` provides these functions before the program starts.
#[cfg(not(feature = "ssr"))]
mod in_browser {
    pub(crate) use self::intl::{number, plural as plural_category};

    /// The hour and minute of a time in seconds since the Unix epoch, on the visitor's clock.
    pub(crate) fn clock_time(seconds: u64) -> String {
        intl::time(float(seconds))
    }

    /// A duration in seconds, in its largest unit: "2 min. ago".
    pub(crate) fn ago(seconds: u64) -> String {
        intl::ago(float(seconds))
    }

    /// Seconds as JavaScript has numbers.
    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "a time in seconds is far below 2^53"
    )]
    fn float(seconds: u64) -> f64 {
        seconds as f64
    }

    mod intl {
        use wasm_bindgen::prelude::wasm_bindgen;

        #[wasm_bindgen(js_namespace = rollcallFormat)]
        extern "C" {
            /// A number with the separators of the language.
            pub(crate) fn number(number: usize) -> String;
            /// The place of a number's plural category in: zero, one, two, few, many, other.
            pub(crate) fn plural(number: usize) -> usize;
            pub(super) fn time(seconds: f64) -> String;
            pub(super) fn ago(seconds: f64) -> String;
        }
    }
}
