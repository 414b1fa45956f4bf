//! Commands: one file for each.

pub(super) mod batch;
pub(super) mod budget;
pub(super) mod check;
pub(super) mod config;
pub(super) mod cost;
pub(super) mod doctor;
pub(super) mod generate;
pub(super) mod iam;
pub(super) mod models;
pub(super) mod refactor;
pub(super) mod results;
pub(super) mod samples;
pub(super) mod serve;
pub(super) mod service;
pub(super) mod task;
pub(super) mod twin;
pub(super) mod undo;
pub(super) mod usage;
