//! Models: ids, the catalogue of models with their capabilities, and token estimates.

pub mod capability;
pub mod catalogue;
mod model_id;
mod own_models;
pub mod token_estimate;

pub use model_id::*;
