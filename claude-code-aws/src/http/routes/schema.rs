//! Response schemas, for the OpenAPI description only; a test compares them with real responses.
#![allow(dead_code, reason = "read by the derive, never built")]

use schemars::JsonSchema;

/// An amount in dollars, as a decimal string.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Dollars(#[schemars(regex(pattern = r"^-?[0-9]+(\.[0-9]+)?$"))] String);

/// A file of an answer: with its content, or where the answer is large with a URL.
#[derive(JsonSchema)]
struct CodeFile {
    path: Option<String>,
    language: String,
    size: u64,
    sha256: String,
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<String>,
}

/// Tokens of all sends together.
#[derive(JsonSchema)]
struct Usage {
    input_tokens: u64,
    output_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation_input_tokens: u64,
}

/// What it cost, item by item.
#[derive(JsonSchema)]
struct Receipt {
    total_usd: Option<Dollars>,
    priced: bool,
    items: Vec<serde_json::Value>,
    price_table: String,
}

/// One send.
#[derive(JsonSchema)]
struct Attempt {
    model: String,
    why: String,
    outcome: String,
    cost: serde_json::Value,
}

/// What a check found.
#[derive(JsonSchema)]
struct Diagnostic {
    path: Option<String>,
    line: u32,
    column: u32,
    severity: String,
    message: String,
}

/// How it came from the cache.
#[derive(JsonSchema)]
struct Cached {
    age_seconds: u64,
}

/// A result.
#[derive(JsonSchema)]
#[schemars(rename = "Result")]
pub(crate) struct Generation {
    id: String,
    accepted: bool,
    language: String,
    files: Vec<CodeFile>,
    text: String,
    model: String,
    tier: String,
    tier_reason: String,
    stop_reason: Option<String>,
    usage: Usage,
    receipt: Receipt,
    attempts: Vec<Attempt>,
    diagnostics: Vec<Diagnostic>,
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<String>,
    cached: Option<Cached>,
    stored: bool,
    s3_key: Option<String>,
    generated_at: String,
}

/// An error (RFC 9457).
#[derive(JsonSchema)]
pub(crate) struct Problem {
    r#type: String,
    title: String,
    status: u16,
    kind: String,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partial: Option<Generation>,
}

/// The process lives.
#[derive(JsonSchema)]
pub(crate) struct Health {
    status: String,
    version: String,
    /// Where results go: `disk`, `aws`, `none`, or `unavailable` where they should be stored and cannot.
    store: String,
}

/// A row of a listing.
#[derive(JsonSchema)]
struct ResultRow {
    id: String,
    prompt: String,
    language: String,
    generated_at: String,
    code_length: u64,
    s3_key: String,
    model: String,
    stop_reason: String,
    /// What it cost; null where a price is not known.
    total_usd: Option<Dollars>,
}

/// A page of a listing, newest first.
#[derive(JsonSchema)]
pub(crate) struct Page {
    items: Vec<ResultRow>,
    next: Option<String>,
}

/// A file and where to get it.
#[derive(JsonSchema)]
struct Link {
    path: String,
    url: String,
    sha256: String,
}

/// Links to a result's files; a single file's stands beside the list too.
#[derive(JsonSchema)]
pub(crate) struct Download {
    id: String,
    files: Vec<Link>,
    expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

/// How far a job is.
#[derive(JsonSchema)]
struct Progress {
    files_finished: u32,
    events: u64,
}

/// A job.
#[derive(JsonSchema)]
pub(crate) struct Job {
    id: String,
    state: String,
    progress: Progress,
    created_at: String,
    result: Option<Generation>,
    problem: Option<Problem>,
}

/// The figures of the day.
#[derive(JsonSchema)]
pub(crate) struct Budget {
    cap: Option<Dollars>,
    spent: Dollars,
    reserved: Dollars,
    /// The part of `reserved` that stays charged: nobody knows what became of these sends.
    unknown: Dollars,
    resets_at: String,
}

/// What the last days cost and how they went: in all, and in groups.
#[derive(JsonSchema)]
pub(crate) struct UsageReport {
    days: u32,
    by: String,
    total: UsageGroup,
    groups: Vec<UsageGroup>,
}

/// Counters that belong together. Beside them stands what they are grouped by: `day`, `model`, `tier` or `scope`.
#[derive(JsonSchema)]
struct UsageGroup {
    requests: u64,
    accepted: u64,
    failed: u64,
    cached: u64,
    spent_usd: Dollars,
    saved_by_cache_usd: Dollars,
    saved_by_tier_usd: Dollars,
    input_tokens: u64,
    output_tokens: u64,
    average_seconds: f64,
    p90_seconds: f64,
}

/// A file of a service.
#[derive(JsonSchema)]
struct ServiceFile {
    path: String,
    language: String,
    size: u64,
    sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

/// The six files of a service, with links.
#[derive(JsonSchema)]
pub(crate) struct ServiceCode {
    service_id: String,
    code_id: String,
    files: Vec<ServiceFile>,
    accepted: bool,
    diagnostics: Vec<Diagnostic>,
    model: Option<String>,
    receipt: Receipt,
    sample: bool,
    generated_at: String,
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<Vec<String>>,
}

/// A description of a service, as the answers gave it.
#[derive(JsonSchema)]
#[schemars(rename = "ServiceDescription")]
struct Description {
    service_type: String,
    intent: String,
    features: Vec<String>,
    vendor: String,
    api_docs: Vec<String>,
    pricing_model: String,
    logging_and_auth: String,
}

/// Where a conversation is.
#[derive(JsonSchema)]
pub(crate) struct Conversation {
    conversation_id: String,
    question: Option<String>,
    step: u32,
    total_steps: u32,
    title: String,
    example: Option<String>,
    done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_data: Option<Description>,
}

/// An answer as it was given.
#[derive(JsonSchema)]
struct Answered {
    step: u32,
    title: String,
    question: String,
    answer: String,
}

/// A conversation with its answers and its newest files.
#[derive(JsonSchema)]
pub(crate) struct WholeConversation {
    conversation_id: String,
    question: Option<String>,
    step: u32,
    total_steps: u32,
    title: String,
    example: Option<String>,
    done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_data: Option<Description>,
    /// As its owner named it, else what kind of service it is.
    name: String,
    answers: Vec<Answered>,
    service_id: Option<String>,
    /// Whether files were begun that are not all written.
    begun: bool,
    /// Whether the answers changed since the newest files were begun.
    stale: bool,
    /// The written versions, the oldest first.
    codes: Vec<String>,
    /// The newest of them.
    code: Option<ServiceCode>,
}

/// A service as the list shows it.
#[derive(JsonSchema)]
struct ServiceEntry {
    conversation_id: String,
    name: String,
    intent: String,
    step: u32,
    total_steps: u32,
    done: bool,
    service_id: Option<String>,
    code_id: Option<String>,
    accepted: Option<bool>,
    total_usd: Option<Dollars>,
    updated_at: String,
}

/// A page of services, newest first.
#[derive(JsonSchema)]
pub(crate) struct ServiceList {
    items: Vec<ServiceEntry>,
    next: Option<String>,
}

/// What a request would come to.
#[derive(JsonSchema)]
pub(crate) struct Estimate {
    tier: String,
    tier_reason: String,
    model: String,
    input_tokens: u64,
    worst_usd: Option<Dollars>,
    sample: bool,
    warnings: Vec<String>,
}

/// What can be asked for offline.
#[derive(JsonSchema)]
pub(crate) struct Samples {
    /// Whether there is nothing but samples.
    offline: bool,
    prompts: Vec<String>,
    /// The seven answers that lead to the sample service.
    service: Vec<String>,
}

/// What a conversation answers: where it is, the written files, or what they would cost.
#[allow(clippy::large_enum_variant, reason = "a schema: no value of it is ever made")]
#[derive(JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "ConversationAnswer")]
pub(crate) enum ConversationAnswer {
    /// After edit and rename.
    WholeConversation(WholeConversation),
    /// After start and message.
    Conversation(Conversation),
    /// After generate and refine.
    ServiceCode(ServiceCode),
    /// After estimate.
    Estimate(Estimate),
}
