//! Names of the semantic conventions for generative AI, v0.1.0 (open-telemetry/semantic-conventions-genai). The published
//! packages still have the names before it.

/// A value of OTEL_SEMCONV_STABILITY_OPT_IN: the names before v0.1.0 are sent too.
pub const OPT_IN: &str = "claude_code/dup";

/// The operation of Converse and Messages.
pub const CHAT: &str = "chat";
/// The same before v0.1.0.
pub const OLD_OPERATION: &str = "generate_content";

/// Attribute names.
pub mod attribute {
    #![allow(missing_docs, reason = "each is the name that it holds")]
    pub const OPERATION: &str = "gen_ai.operation.name";
    pub const PROVIDER: &str = "gen_ai.provider.name";
    pub const REQUEST_MODEL: &str = "gen_ai.request.model";
    pub const MAX_TOKENS: &str = "gen_ai.request.max_tokens";
    pub const TEMPERATURE: &str = "gen_ai.request.temperature";
    pub const STREAM: &str = "gen_ai.request.stream";
    pub const REASONING_LEVEL: &str = "gen_ai.request.reasoning.level";
    pub const RESPONSE_MODEL: &str = "gen_ai.response.model";
    pub const RESPONSE_ID: &str = "gen_ai.response.id";
    pub const FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
    pub const FIRST_CHUNK: &str = "gen_ai.response.time_to_first_chunk";
    pub const INPUT: &str = "gen_ai.usage.input_tokens";
    pub const OUTPUT: &str = "gen_ai.usage.output_tokens";
    pub const CACHE_READ: &str = "gen_ai.usage.cache_read.input_tokens";
    pub const CACHE_WRITE: &str = "gen_ai.usage.cache_write.input_tokens";
    pub const REASONING: &str = "gen_ai.usage.reasoning.output_tokens";
    pub const OLD_CACHE_WRITE: &str = "gen_ai.usage.cache_creation.input_tokens";
    pub const OLD_TOKEN_TYPE: &str = "gen_ai.token.type";
    pub const ERROR_TYPE: &str = "error.type";
}

/// Metric names.
pub mod metric {
    #![allow(missing_docs, reason = "each is the name that it holds")]
    pub const DURATION: &str = "gen_ai.client.inference.duration";
    pub const FIRST_CHUNK: &str = "gen_ai.client.inference.time_to_first_chunk";
    pub const USAGE_INPUT: &str = "gen_ai.client.inference.usage.input_tokens";
    pub const USAGE_OUTPUT: &str = "gen_ai.client.inference.usage.output_tokens";
    pub const USAGE_CACHE_READ: &str = "gen_ai.client.inference.usage.cache_read.input_tokens";
    pub const USAGE_CACHE_WRITE: &str = "gen_ai.client.inference.usage.cache_write.input_tokens";
    pub const USAGE_REASONING: &str = "gen_ai.client.inference.usage.reasoning.output_tokens";
    pub const INPUT: &str = "gen_ai.client.inference.operation.input_tokens";
    pub const OUTPUT: &str = "gen_ai.client.inference.operation.output_tokens";
    pub const COST: &str = "claude_code.cost";
    pub const ATTEMPTS: &str = "claude_code.attempts";
    pub const OLD_DURATION: &str = "gen_ai.client.operation.duration";
    pub const OLD_TOKENS: &str = "gen_ai.client.token.usage";
}

/// Bucket bounds of durations in seconds, as the conventions advise.
pub const SECONDS: [f64; 14] =
    [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
/// Bucket bounds of token counts, as the conventions advise.
pub const TOKENS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
