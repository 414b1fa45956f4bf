//! Cache key: the name of a request in the response cache.

use sha2::{Digest, Sha256};

use super::Candidate;
use crate::plan::policy::Policy;
use crate::plan::prompt::Prompt;
use crate::read::READER_VERSION;
use crate::request::GenerateRequest;
use crate::state::Scope;

/// Version of the cached format.
const CACHE_SCHEMA: &str = "3";

/// A hash over everything that the answer depends on, each part with its length before it, so that no two
/// different requests share one.
pub(super) fn cache_key(
    request: &GenerateRequest,
    policy: &Policy,
    provider: &str,
    scope: &Scope,
    first: &Candidate,
    prompt: &Prompt,
    max_tokens: u32,
) -> String {
    let temperature = request.temperature.filter(|_| first.takes_sampling());
    let parts = [
        CACHE_SCHEMA,
        scope.as_str(),
        provider,
        &policy.answers_from,
        first.model.as_str(),
        &format!("{:?}", policy.reach),
        &max_tokens.to_string(),
        &format!("{temperature:?}"),
        &format!("{:?}", request.effort),
        &format!("{:?}", request.thinking),
        &format!("{:?}", policy.guardrail),
        &prompt.system,
        &prompt.user,
        &prompt.version,
        READER_VERSION,
        if request.skip_validation { "unchecked" } else { "checked" },
    ];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    crate::answer::file::hex(&hash.finalize())
}
