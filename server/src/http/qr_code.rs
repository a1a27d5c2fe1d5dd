//! `GET /r/{room}/qr.svg`: the URL of a room as a QR code.

use std::fmt::Write;

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use qrcodegen::{QrCode, QrCodeEcc};

use super::{
    app_state::AppState,
    room_path::{room_from_path, room_not_found},
    room_url::room_url,
    visit::Visit,
};

/// The width of the empty margin, in modules (ISO/IEC 18004, section 6.3.8).
const QUIET_ZONE: i32 = 4;

/// The code, always dark on white: cameras don't read inverted codes reliably.
pub(crate) async fn qr_code(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
    visit: Visit,
) -> Response {
    let room = match room_from_path(path) {
        Ok(room) => room,
        Err(error) => return room_not_found(error),
    };
    let url = room_url(state.public_url.as_ref(), &visit, &room);
    // Medium restores about 15 % of damaged or reflecting modules.
    let Ok(code) = QrCode::encode_text(&url, QrCodeEcc::Medium) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers =
        [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "private, no-cache")];
    (headers, svg(&code)).into_response()
}

/// An SVG with one path of rectangles: one for each run of dark modules in a row.
fn svg(code: &QrCode) -> String {
    let side = code.size() + 2 * QUIET_ZONE;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges"><rect width="{side}" height="{side}" fill="#fff"/><path fill="#000" d=""##
    );
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let run = (x..code.size()).take_while(|x| code.get_module(*x, y)).count();
            let run = i32::try_from(run).unwrap_or_default();
            if run > 0 {
                let (left, top) = (x + QUIET_ZONE, y + QUIET_ZONE);
                // Writing to a string does not fail.
                let _ = write!(svg, "M{left} {top}h{run}v1h-{run}z");
            }
            x += run.max(1);
        }
    }
    svg.push_str("\"/></svg>\n");
    svg
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// The units of the image that its path covers.
    fn covered(svg: &str) -> BTreeSet<(i32, i32)> {
        let path = svg.split(" d=\"").nth(1).unwrap().split('"').next().unwrap();
        let mut units = BTreeSet::new();
        for rectangle in path.split('z').filter(|part| !part.is_empty()) {
            let (corner, run) = rectangle.strip_prefix('M').unwrap().split_once('h').unwrap();
            let (x, y) = corner.split_once(' ').unwrap();
            let (x, y): (i32, i32) = (x.parse().unwrap(), y.parse().unwrap());
            let (run, back) = run.split_once("v1h-").unwrap();
            assert_eq!(run, back);
            for along in 0..run.parse::<i32>().unwrap() {
                assert!(units.insert((x + along, y)), "drawn twice");
            }
        }
        units
    }

    proptest! {
        #[test]
        fn the_path_covers_exactly_the_dark_modules(address in "https?://[a-z.]{1,60}/r/[a-z0-9-]{1,64}") {
            let code = QrCode::encode_text(&address, QrCodeEcc::Medium).unwrap();
            let svg = svg(&code);
            let side = code.size() + 8;
            let view = format!("viewBox=\"0 0 {side} {side}\"");
            prop_assert!(svg.contains(&view));
            let covered = covered(&svg);
            for x in 0..side {
                for y in 0..side {
                    prop_assert_eq!(covered.contains(&(x, y)), code.get_module(x - 4, y - 4));
                }
            }
        }
    }
}
