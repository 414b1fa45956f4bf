//! Authentication: who calls, by token, SigV4 identity or an authorizer's claims.

pub(super) mod credentials;
pub(super) mod principal;
