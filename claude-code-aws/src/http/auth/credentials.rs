//! Caller identity. The scope comes from here and nowhere else: no header, body or query names one.

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request};
use claude_code_core::answer::file::hex;
use claude_code_core::{Client, Error, ErrorKind, Scope};
use sha2::{Digest, Sha256};

use crate::http::app::App;
use crate::http::response::problem::Problem;

/// Who may come in.
#[derive(Clone)]
pub(crate) enum Authentication {
    /// Whoever reaches the address, which is loopback.
    Open,
    /// Who has this bearer token and means this machine: the machine's own user.
    Local([u8; 32]),
    /// Who has one of these bearer tokens; kept as hashes.
    Tokens(Vec<[u8; 32]>),
    /// Whom the gateway vouches for; behind a load balancer, who has one of these bearer tokens.
    Gateway(Vec<[u8; 32]>),
}

impl std::fmt::Debug for Authentication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Authentication::Open => "Open",
            Authentication::Local(_) => "Local",
            Authentication::Tokens(_) => "Tokens",
            Authentication::Gateway(_) => "Gateway",
        })
    }
}

/// A scope that the gateway in front of the host vouches for; the host puts it into the request's extensions.
#[derive(Clone, Debug)]
pub(crate) struct Vouched(pub(crate) Scope);

/// Marks a request of a load balancer, which vouches for nobody.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unvouched;

impl Authentication {
    pub(crate) fn local(token: &str) -> Self {
        Authentication::Local(Sha256::digest(token.as_bytes()).into())
    }

    pub(crate) fn tokens(tokens: &[String]) -> Self {
        Authentication::Tokens(hashes(tokens))
    }

    pub(crate) fn gateway(tokens: &[String]) -> Self {
        Authentication::Gateway(hashes(tokens))
    }

    /// The scope of a request. Every failure is the same answer.
    pub(crate) fn scope<B>(&self, request: &Request<B>) -> Result<Scope, Problem> {
        let refused = || Problem::not_signed_in("the request is not signed in: send a valid key or token");
        let foreign = || {
            let message = "this server answers to localhost only: give it a token to use another name";
            Problem::from(Error::new(ErrorKind::AccessDenied, message))
        };
        match self {
            Authentication::Open => is_local(request.headers()).then(Scope::local).ok_or_else(foreign),
            Authentication::Local(_) if !is_local(request.headers()) => Err(foreign()),
            Authentication::Local(known) => {
                let known = bearer(request.headers(), std::slice::from_ref(known));
                known.map(|_| Scope::local()).ok_or_else(refused)
            }
            Authentication::Tokens(known) => bearer(request.headers(), known).ok_or_else(refused),
            Authentication::Gateway(known) => {
                if request.extensions().get::<Unvouched>().is_some() {
                    return bearer(request.headers(), known).ok_or_else(refused);
                }
                request.extensions().get::<Vouched>().map(|vouched| vouched.0.clone()).ok_or_else(refused)
            }
        }
    }
}

fn hashes(tokens: &[String]) -> Vec<[u8; 32]> {
    tokens.iter().map(|token| Sha256::digest(token.as_bytes()).into()).collect()
}

/// The scope of the token, if it is known. Hashes are compared, all of them and to their ends: the time tells
/// neither where a token differs nor which one it resembles.
fn bearer(headers: &HeaderMap, known: &[[u8; 32]]) -> Option<Scope> {
    let given = headers.get(AUTHORIZATION).map(|value| value.as_bytes()).unwrap_or_default();
    let token = given.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case(b"bearer ")).map(|_| &given[7..]);
    let hash: [u8; 32] = Sha256::digest(token.unwrap_or_default()).into();
    let mut found = false;
    for other in known {
        let difference = hash.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b));
        found |= std::hint::black_box(difference) == 0;
    }
    (found && token.is_some()).then(|| Scope::authenticated(&format!("token:{}", hex(&hash[..8]))))
}

/// Whether the browser, if it is one, means this machine: a page elsewhere may have its own name point here.
fn is_local(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The caller of a request: its scope, and a client for it.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) scope: Scope,
    pub(crate) client: Client,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let scope = parts
            .extensions
            .get::<Scope>()
            .cloned()
            .ok_or_else(|| Problem::not_signed_in("the request is not signed in"))?;
        Ok(Caller { client: app.client.scoped(scope.clone()), scope })
    }
}
