//! S3 on one SQLite file: body, metadata and version row of a write are one transaction.
//!
//! The wire (routing, signatures, XML, chunked uploads) is the s3s crate's. What is here is the store behind
//! it. Limits: an object is held in memory while it is written or read and is at most 512 MiB long; there is
//! no lifecycle, encryption setting, object lock or access control list (each answers NotImplemented).

mod api;
mod bucket;
mod condition;
mod copy;
mod direct;
mod journal;
mod list;
mod multipart;
mod object;
mod payload;
mod resign;
mod service;
mod store;
mod tags;
mod version;
mod versions;

pub(super) use direct::NewObject;
pub(super) use journal::NewRow;
pub(super) use resign::known;
pub(super) use service::{HOST, ObjectStore};
pub(super) use store::FILE;
