//! Model providers: the trait, its messages, and one attempt over a provider's event stream.

pub mod attempt;
pub mod ended;
pub mod message;
mod model_provider;
pub(crate) mod profile_resolver;
pub(crate) mod sent_flag;
mod service_exception;
pub mod stop_signal;
pub(crate) mod timer;

pub use model_provider::*;
pub use service_exception::ServiceException;
