//! The cookies of a sign-in: their names, and the `Set-Cookie` lines that set and clear them.
//!
//! Each has the prefix `__Host-`, so that no other host of the domain can set it (RFC 6265bis section 4.1.3), and none
//! can be read by a script.

use crate::credential::{MAX_PIECES, has_cookie};
use crate::digest::sha256_hex;
use crate::event::CloudFrontHeaders;
use crate::sign_in::set_cookie::SetCookie;

/// The longest cookie that is set, with its name, in bytes. Browsers keep 4,096 (RFC 6265bis section 5.6).
const MAX_COOKIE_BYTES: usize = 3_840;

/// As many pieces as a session can have. Each that is not set is cleared, so that the pieces of two sessions, of tabs that
/// come back at once, are never mixed.
const USUAL_PIECES: usize = 4;

/// How the name of the cookie of a flow begins. The rest is of its `state`: each tab has its own.
pub(super) const FLOW_PREFIX: &str = "__Host-authorizer-flow-";

/// How the name of the cookie begins that says that a browser was just sent back to a page, with a session. The rest is of
/// the page.
pub(super) const BACK_PREFIX: &str = "__Host-authorizer-back-";

/// How long that is looked at, in seconds: as long as a redirect may take.
pub(super) const BACK_SECONDS: u64 = 15;

/// The name of the cookie beside the session's.
pub(super) fn sealed_name(session: &str) -> String {
    format!("{session}-sealed")
}

/// The name of the cookie of the flow with this `state`.
pub(super) fn flow_name(state: &str) -> String {
    format!("{FLOW_PREFIX}{}", mark(state))
}

/// The name of the cookie of this page.
pub(super) fn back_name(back: &str) -> String {
    format!("{BACK_PREFIX}{}", mark(back))
}

/// Eight digits that stand for a text. They open nothing.
fn mark(text: &str) -> String {
    let mut digits = sha256_hex(text.as_bytes());
    digits.truncate(8);
    digits
}

/// A line that sets a cookie, or clears it with 0 seconds. Neither text may contain what ends one.
pub(super) fn line(name: &str, value: &str, seconds: u64) -> String {
    SetCookie { name, value, path: "/", max_age: seconds, secure: true }.to_string()
}

/// The lines that set a value, whole or in pieces, and clear what else could be read as a part of it.
pub(super) fn set(name: &str, value: &str, seconds: u64, headers: &CloudFrontHeaders<'_>) -> Vec<String> {
    let room = MAX_COOKIE_BYTES.saturating_sub(name.len()).max(1);
    // It is ASCII.
    let pieces: Vec<&str> = match value.len() <= room {
        true => vec![],
        false => value.as_bytes().chunks(room).filter_map(|piece| str::from_utf8(piece).ok()).collect(),
    };
    let whole = match pieces.is_empty() {
        true => line(name, value, seconds),
        false => line(name, "", 0),
    };
    let mut lines = vec![whole];
    lines.extend(pieces.iter().enumerate().map(|(nth, piece)| line(&piece_name(name, nth), piece, seconds)));
    lines.extend(clear_pieces(name, pieces.len(), headers));
    lines
}

/// The lines that clear a value.
pub(super) fn clear(name: &str, headers: &CloudFrontHeaders<'_>) -> Vec<String> {
    let mut lines = vec![line(name, "", 0)];
    lines.extend(clear_pieces(name, 0, headers));
    lines
}

fn clear_pieces(name: &str, from: usize, headers: &CloudFrontHeaders<'_>) -> Vec<String> {
    (from..MAX_PIECES)
        .map(|nth| (nth, piece_name(name, nth)))
        .filter(|(nth, name)| *nth < USUAL_PIECES || has_cookie(headers, name))
        .map(|(_, name)| line(&name, "", 0))
        .collect()
}

fn piece_name(name: &str, nth: usize) -> String {
    format!("{name}.{nth}")
}
