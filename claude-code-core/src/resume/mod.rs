//! Resume: the rest of a cut answer is asked for from an anchor line, and joined where it overlaps.

mod anchor;
mod join;
mod preface;
mod refence;

pub use anchor::*;
