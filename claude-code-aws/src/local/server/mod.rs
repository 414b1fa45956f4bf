//! The twin's servers: listeners, the in-process connector, endpoints, signatures and keys.

pub(crate) mod body;
pub(crate) mod clock;
pub(crate) mod connector;
pub(crate) mod endpoint;
pub(crate) mod keys;
pub(crate) mod listen;
pub(crate) mod percent;
pub(crate) mod signature;
pub(crate) mod sts;
