//! Who asks: the AWS credential chain, profiles, API keys, and values as people paste them.

pub(super) mod api_key;
mod chain;
pub(super) mod pasted;
pub(super) mod profile;
mod rotation;

pub(crate) use chain::told;
pub(crate) use rotation::{Rereading, Rotating};
