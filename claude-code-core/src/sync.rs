//! The locks of the cells whose every order is tried out: `loom-tests` puts loom's in their place.

pub(crate) use std::sync::atomic::{AtomicBool, Ordering};
pub(crate) use std::sync::{Arc, Mutex, PoisonError};
