//! The engines' clock: the one place here that reads the time of day.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970 UTC; 0 on a machine whose clock stands before that.
pub(super) fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Now as `YYYYMMDDTHHMMSS` in UTC, for file names.
pub(super) fn stamp() -> String {
    let now = aws_smithy_types::DateTime::from_millis(now_millis());
    let text = now.fmt(aws_smithy_types::date_time::Format::DateTime).unwrap_or_default();
    text.chars().filter(|c| c.is_ascii_digit() || *c == 'T').take("YYYYMMDDTHHMMSS".len()).collect()
}
