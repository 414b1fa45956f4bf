//! Which tier a task needs, which models can serve it, and why.
//!
//! `classify` reads a task the way a reviewer would before estimating it: what the words of the trade say
//! (`terms.txt`), how many things are asked for, how much code there is to change. `candidates` turns a tier into
//! models. Both say why in one line.

mod candidates;
mod classify;
mod terms;
mod words;

pub use candidates::{Candidate, Reach, candidates};
pub use classify::{Task, Verdict, classify};
