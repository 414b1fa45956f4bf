//! What the applications in `examples/` share: common options, asking with a budget, progress, kept stages, packing a
//! directory, and writing with a diff. Only the public API of `claude-code-aws` is used.

pub mod args;
pub mod ask;
pub mod checks;
pub mod output;
pub mod pack;
pub mod progress;
pub mod receipt;
pub mod resume;
pub mod run;
pub mod stages;
pub mod terminal;
