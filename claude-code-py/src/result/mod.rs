//! Results as Python classes.

pub(crate) mod answer;
pub(crate) mod event;
pub(crate) mod generation;
pub(crate) mod store;
pub(crate) mod values;
