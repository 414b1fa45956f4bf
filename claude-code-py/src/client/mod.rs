//! Clients, synchronous and asynchronous, and what they return while they work.

pub(crate) mod answers;
pub(crate) mod batch;
pub(crate) mod batch_item;
mod batch_plan;
pub(crate) mod check;
mod clients;
pub(crate) mod connection;
pub(crate) mod next_batch;
pub(crate) mod reader;
pub(crate) mod recipe;
pub(crate) mod service;
pub(crate) mod shared;
pub(crate) mod stream;

pub(crate) use clients::*;
