//! Exit codes: the one table from error kinds to codes.

use claude_code_core::ErrorKind;

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
/// The same, where the command's own JSON value has the error already. No process ends with it.
pub(crate) const INTERRUPTED_AND_TOLD: u8 = 131;

/// The exit code of an error.
pub(crate) fn of(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::InvalidRequest | ErrorKind::NoSample | ErrorKind::Malformed | ErrorKind::KeyReused => {
            USAGE
        }
        ErrorKind::Truncated
        | ErrorKind::Cut
        | ErrorKind::Empty
        | ErrorKind::NoCode
        | ErrorKind::Rejected => INCOMPLETE,
        ErrorKind::Budget => BUDGET,
        ErrorKind::Interrupted => INTERRUPTED,
        _ => FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_the_code_that_scripts_rely_on() {
        let cases = [
            (ErrorKind::InvalidRequest, 2),
            (ErrorKind::NoSample, 2),
            (ErrorKind::Malformed, 2),
            (ErrorKind::KeyReused, 2),
            (ErrorKind::Truncated, 3),
            (ErrorKind::Cut, 3),
            (ErrorKind::Empty, 3),
            (ErrorKind::NoCode, 3),
            (ErrorKind::Rejected, 3),
            (ErrorKind::Budget, 4),
            (ErrorKind::Interrupted, 130),
            (ErrorKind::Credentials, 1),
            (ErrorKind::Throttled, 1),
            (ErrorKind::Timeout, 1),
            (ErrorKind::Refused, 1),
            (ErrorKind::Storage, 1),
            (ErrorKind::EditFailed, 1),
            (ErrorKind::ContextTooLong, 1),
        ];
        for (kind, code) in cases {
            assert_eq!(of(kind), code, "{kind}");
        }
    }
}
