//! Multipart uploads: parts, copies of parts, and what is under way.

mod part_copy;
mod parts;
mod upload;
mod uploads;

pub(super) use part_copy::copy_part;
pub(super) use parts::{abort, complete, create, list_parts, upload_part};
pub(super) use uploads::list;
