//! Output: text, JSON, progress, problems and exit codes.

pub(super) mod colour;
pub(super) mod exit;
pub(super) mod figures;
pub(super) mod json;
pub(super) mod plain;
pub(super) mod problem;
pub(super) mod progress;
pub(super) mod sarif;
pub(super) mod show;
pub(super) mod warnings;
