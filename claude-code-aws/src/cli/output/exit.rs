//! What the exit code says. The one table of kinds to codes.

use claude_code_core::Kind;

/// Accepted, or done.
pub(crate) const OK: u8 = 0;
/// No result.
pub(crate) const FAILED: u8 = 1;
/// The command line or the request cannot be used as it is.
pub(crate) const USAGE: u8 = 2;
/// An answer, but not a whole or not an accepted one.
pub(crate) const INCOMPLETE: u8 = 3;
/// A cap on spending would be passed.
pub(crate) const BUDGET: u8 = 4;
/// Ctrl-C: 128 and the signal's number, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;

/// The exit code of an error.
pub(crate) fn of(kind: Kind) -> u8 {
    match kind {
        Kind::InvalidRequest | Kind::NoSample | Kind::Malformed | Kind::KeyReused => USAGE,
        Kind::Truncated | Kind::Cut | Kind::Empty | Kind::Rejected => INCOMPLETE,
        Kind::Budget => BUDGET,
        _ => FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_the_code_that_scripts_rely_on() {
        let cases = [
            (Kind::InvalidRequest, 2),
            (Kind::NoSample, 2),
            (Kind::Malformed, 2),
            (Kind::KeyReused, 2),
            (Kind::Truncated, 3),
            (Kind::Cut, 3),
            (Kind::Empty, 3),
            (Kind::Rejected, 3),
            (Kind::Budget, 4),
            (Kind::Credentials, 1),
            (Kind::Throttled, 1),
            (Kind::Timeout, 1),
            (Kind::Refused, 1),
            (Kind::Storage, 1),
            (Kind::EditFailed, 1),
            (Kind::ContextTooLong, 1),
        ];
        for (kind, code) in cases {
            assert_eq!(of(kind), code, "{kind}");
        }
    }
}
