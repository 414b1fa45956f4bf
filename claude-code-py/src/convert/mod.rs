//! Conversions between Rust values and Python objects: options, errors, JSON, money.

pub(crate) mod error;
pub(crate) mod json;
pub(crate) mod money;
pub(crate) mod options;
pub(crate) mod record;
