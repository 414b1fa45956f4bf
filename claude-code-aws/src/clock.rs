//! System clock and random numbers: the only file that reads either.

use std::time::{SystemTime, UNIX_EPOCH};

use claude_code_core::{Clock, IdSource, UtcMillis};

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UtcMillis {
        millis(SystemTime::now()).unwrap_or_default()
    }
}

/// A moment as signatures, credentials and files have it.
#[cfg(any(feature = "otlp", feature = "cli"))]
pub(crate) type Moment = SystemTime;

/// The moment now.
#[cfg(feature = "otlp")]
pub(crate) fn moment() -> Moment {
    SystemTime::now()
}

/// A moment of the system's clock; none before 1970.
pub(crate) fn millis(moment: SystemTime) -> Option<UtcMillis> {
    let since = moment.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(UtcMillis)
}

/// The operating system's random bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemIds;

impl IdSource for SystemIds {
    fn random(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        if getrandom::fill(&mut bytes).is_err() {
            // Without the system's chance an id is still its own: by time and address.
            let moment = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
            bytes = (moment ^ (std::ptr::from_ref(&bytes) as usize as u128) << 64).to_be_bytes();
        }
        bytes
    }
}
