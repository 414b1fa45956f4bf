//! Who asks: the AWS credential chain, profiles, API keys, and values as people paste them.

pub(super) mod api_key;
mod chain;
mod files;
pub(super) mod pasted;
pub(super) mod profile;
mod rotation;

pub(crate) use chain::told;
pub(super) use files::files_of_env;
pub(crate) use rotation::{Rereading, Rotating};
