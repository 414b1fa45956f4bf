//! Responses: results inline or as links, problems, server-sent events, idempotent replays, archives.

pub(super) mod body;
pub(super) mod idempotent;
pub(super) mod inline_or_link;
pub(super) mod links;
pub(super) mod problem;
pub(super) mod sse;
pub(super) mod zip;
