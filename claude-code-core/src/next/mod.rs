//! The one policy: what to do after each attempt. Pure; the loop in `client.rs` obeys it. One file for each cause of
//! another attempt, beside model health (the circuit breaker) and prompt-cache points.

mod call;
mod conclude;
mod downgrade;
mod escalate;
mod fallback;
mod limits;
pub(crate) mod model_health;
mod omitted_fields;
mod prompt_cache;
mod repair;
mod resume;
mod retry;
mod step;

pub use call::call;
pub(crate) use limits::{notice, suits};
pub(crate) use omitted_fields::omitted_fields;
pub use step::*;
