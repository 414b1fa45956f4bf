//! Access keys of the twin.

use std::fmt;

/// Access keys with their secrets. One pair is always there: the twin's own, which opens nothing else anywhere.
#[derive(Clone)]
pub struct Keys {
    pairs: Vec<(String, String)>,
}

impl Keys {
    /// The twin's own access key.
    pub const ACCESS_KEY: &'static str = "TWINLOCALACCESSKEY00";

    /// The secret that goes with it.
    pub const SECRET_KEY: &'static str = "twin-local-secret-not-a-credential-0000";

    /// The twin's account.
    pub(crate) const ACCOUNT: &'static str = "000000000000";

    /// With one more pair.
    pub fn with(mut self, access_key: impl Into<String>, secret: impl Into<String>) -> Self {
        self.pairs.push((access_key.into(), secret.into()));
        self
    }

    /// The secret of an access key.
    pub(crate) fn secret(&self, access_key: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == access_key).map(|(_, secret)| secret.as_str())
    }
}

impl Default for Keys {
    fn default() -> Self {
        Keys { pairs: vec![(Keys::ACCESS_KEY.to_owned(), Keys::SECRET_KEY.to_owned())] }
    }
}

// Secrets stay out of logs.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.pairs.len())
    }
}
