//! What a client is told, from code or from the environment.

mod env;
mod metrics;
mod settings;

pub use settings::{Api, Config, Provider, Store};
