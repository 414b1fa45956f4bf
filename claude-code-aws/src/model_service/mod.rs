//! What both model providers share: faults, context lengths, redaction, and bodies that tell when they were sent.

pub(crate) mod context_length;
pub(crate) mod faults;
pub(crate) mod redact;
pub(crate) mod sent_body;
pub(crate) mod usage;
