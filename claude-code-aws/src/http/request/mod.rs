//! Request bodies: extraction with limits, and the fields of each route.

pub(super) mod conversation_body;
pub(super) mod extract;
pub(crate) mod generate_body;
pub(super) mod headers;
pub(super) mod receive;
