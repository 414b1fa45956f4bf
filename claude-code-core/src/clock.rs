//! Clock and id source: time and randomness come from outside, so that tests control both.

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// A moment in UTC, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UtcMillis(pub i64);

/// Where the current time comes from.
pub trait Clock: std::fmt::Debug + Send + Sync {
    /// Now.
    fn now(&self) -> UtcMillis;
}

/// Where chance comes from: ids and jitter. Tests seed it.
pub trait IdSource: std::fmt::Debug + Send + Sync {
    /// Sixteen random bytes, never the same again.
    fn random(&self) -> [u8; 16];
}

const ISO: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
const COMPACT: &[BorrowedFormatItem<'_>] =
    format_description!("[year][month][day]T[hour][minute][second][subsecond digits:3]Z");
const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

impl UtcMillis {
    /// `2026-11-21T20:46:00.123Z`, as in `generated_at`.
    pub fn iso(self) -> String {
        self.format(ISO)
    }

    /// `20261121T204600123Z`, as in object keys.
    pub fn compact(self) -> String {
        self.format(COMPACT)
    }

    /// `2026-11-21`, the day that budgets count by.
    pub fn date(self) -> String {
        self.format(DATE)
    }

    /// Whole seconds since 1970, rounded down, as DynamoDB's TTL wants them.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment and so much later.
    pub fn plus(self, duration: std::time::Duration) -> Self {
        UtcMillis(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// From `earlier` until this moment; zero if it is not earlier.
    pub fn since(self, earlier: UtcMillis) -> std::time::Duration {
        std::time::Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The moment that [`iso`](Self::iso) wrote, or none.
    pub fn from_iso(text: &str) -> Option<Self> {
        let parsed = time::PrimitiveDateTime::parse(text, ISO).ok()?.assume_utc();
        Some(UtcMillis(i64::try_from(parsed.unix_timestamp_nanos() / 1_000_000).ok()?))
    }

    fn format(self, format: &[BorrowedFormatItem<'_>]) -> String {
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH);
        moment.format(format).unwrap_or_default()
    }
}

/// A UUIDv7: sortable by time, random behind it.
pub fn new_id(clock: &dyn Clock, ids: &dyn IdSource) -> String {
    let mut tail = [0; 10];
    tail.copy_from_slice(&ids.random()[..10]);
    let millis = u64::try_from(clock.now().0).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid().to_string()
}
