//! Routes: one file for each resource.

#[cfg(feature = "cli")]
pub(super) mod batch_line;
pub(super) mod budget;
pub(super) mod conversation;
pub(super) mod estimate;
pub(super) mod generate;
pub(super) mod jobs;
pub(super) mod metrics;
pub(super) mod openapi;
pub(super) mod page;
pub(super) mod results;
pub(super) mod samples;
pub(super) mod schema;
pub(super) mod service_events;
pub(super) mod services;
#[cfg(feature = "local")]
pub(super) mod twin_s3;
pub(super) mod usage;
