//! Batch manifest: a key for each request, by which a resumed batch recognises what was already answered.

use std::collections::{HashMap, HashSet};

use claude_code_core::{CacheMode, GenerateRequest};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A request's key: a hash of everything that its answer depends on, and not of its place in the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of a request.
    pub fn of(request: &GenerateRequest) -> Self {
        let GenerateRequest { work, language, instructions, tier, model, effort, thinking, .. } = request;
        let GenerateRequest { temperature, max_tokens, skip_validation, .. } = request;
        let rest = format!(
            "{work:?} {language:?} {instructions:?} {tier:?} {model:?} {effort:?} {thinking:?} {temperature:?} {max_tokens:?} \
             {skip_validation:?}"
        );
        let files = request.files.iter().flat_map(|file| [file.path.as_str(), file.content.as_str()]);
        Key(hash([request.prompt.as_str(), &rest].into_iter().chain(files)))
    }

    /// The key of the nth repeat of the same request, from 0: the request's own.
    fn repeat(self, nth: u32) -> Self {
        if nth == 0 { self } else { Key(hash([self.to_string().as_str(), &nth.to_string()].into_iter())) }
    }

    /// The first 16 hex digits: enough to tell the requests of a batch apart.
    fn short(&self) -> String {
        self.0[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// An id in the form of a UUID (version 8: a hash).
    pub fn uuid(&self) -> String {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.0[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
    }

    /// The key of a text.
    pub fn of_text(text: &str) -> Self {
        Key(hash([text].into_iter()))
    }
}

fn hash<'a>(parts: impl Iterator<Item = &'a str>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Lower-case hex.
impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let wrong = || serde::de::Error::custom("a key is 64 hex digits");
        let mut key = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(wrong());
        }
        for (at, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).map_err(|_| wrong())?;
        }
        Ok(Key(key))
    }
}

/// Tells repeats of a request apart: each has an answer of its own in the journal.
#[derive(Debug, Default)]
pub struct Repeats(HashMap<Key, u32>);

impl Repeats {
    /// The key of the next request of a batch.
    pub fn key(&mut self, request: &GenerateRequest) -> Key {
        let key = Key::of(request);
        let seen = self.0.entry(key).or_default();
        *seen += 1;
        key.repeat(*seen - 1)
    }

    /// The key under which the request's answer may be as well: that of the first equal one, where it shares its answer;
    /// else its own.
    pub fn shared_key(&self, request: &GenerateRequest, own: Key) -> Key {
        if request.cache == CacheMode::Off { own } else { Key::of(request) }
    }

    /// Whether the request was seen before and shares that one's answer. One that keeps off the cache is sent each time.
    pub fn is_shared(&self, request: &GenerateRequest) -> bool {
        request.cache != CacheMode::Off && self.0.get(&Key::of(request)).is_some_and(|seen| *seen > 1)
    }
}

/// The requests of a batch, as its journal notes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    key: Named,
    /// The batch's id.
    pub batch: String,
    /// The first 16 hex digits of the key under which each request's answer is; repeats that share it have the same.
    requests: Vec<String>,
}

/// What stands where lines about answers have their key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Named {
    #[serde(rename = "manifest")]
    Manifest,
}

impl Manifest {
    /// The manifest of a batch with these requests, in their order.
    pub fn new(batch: impl Into<String>, keys: &[Key]) -> Self {
        let requests = keys.iter().map(Key::short).collect();
        Manifest { key: Named::Manifest, batch: batch.into(), requests }
    }

    /// How many requests there are.
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// How many of the requests have an answer under one of these keys.
    pub fn answered<'k>(&self, keys: impl Iterator<Item = &'k Key>) -> usize {
        let kept: HashSet<String> = keys.map(Key::short).collect();
        self.requests.iter().filter(|request| kept.contains(*request)).count()
    }

    /// How this one differs from an earlier one: requests that are new, and requests that are gone.
    pub fn difference(&self, earlier: &Manifest) -> (usize, usize) {
        let mut counts: HashMap<&str, i64> = HashMap::new();
        self.requests.iter().for_each(|key| *counts.entry(key).or_default() += 1);
        earlier.requests.iter().for_each(|key| *counts.entry(key).or_default() -= 1);
        let sum = |sign: i64| counts.values().map(|n| usize::try_from(n * sign).unwrap_or(0)).sum();
        (sum(1), sum(-1))
    }
}
