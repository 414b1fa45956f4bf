//! What a Python module says, from the tree of the parser that judged it.

mod facts;
pub(super) mod text;
mod visitor;

pub use visitor::read;
