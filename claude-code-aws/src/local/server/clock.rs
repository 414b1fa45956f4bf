//! Clock of the engines: the system's time in the formats that they write.

use claude_code_core::Clock;

use crate::clock::SystemClock;

/// Milliseconds since 1970 UTC.
pub(crate) fn now_millis() -> i64 {
    SystemClock.now().0
}

/// Now as `2026-11-21T20:46:00.123Z`.
pub(crate) fn iso() -> String {
    SystemClock.now().iso()
}

/// Today in UTC, `YYYY-MM-DD`.
pub(crate) fn today() -> String {
    SystemClock.now().date()
}

/// Now as `YYYYMMDDTHHMMSS` in UTC, for file names.
pub(crate) fn stamp() -> String {
    SystemClock.now().compact()[..15].to_owned()
}
