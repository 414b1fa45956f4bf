//! Secret values: readable by the code that sends them, hidden in Debug, errors and logs.

/// A key or token. It has neither `Debug` nor `Display` nor `Serialize`: nothing prints it by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Holds this value.
    pub fn new(value: impl Into<String>) -> Self {
        Secret(value.into())
    }

    /// The value, for the header that it goes into.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}
