//! Request fields of Converse, built from a call.

use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::error::SdkError;
use aws_sdk_bedrockruntime::operation::converse_stream::{ConverseStreamError, ConverseStreamOutput};
use aws_sdk_bedrockruntime::operation::count_tokens::{CountTokensError, CountTokensOutput};
use aws_sdk_bedrockruntime::types as wire;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::Document;
use claude_code_core::model::capability::{CacheTtl, SentThinking};
use claude_code_core::provider::ModelCall;
use claude_code_core::provider::message::{Message, Role, TextBlock};

use super::guard::FrameLimit;
use crate::model_service::sent_body::Watch;

/// How a send can fail before its stream is open.
pub(super) type Failed = SdkError<ConverseStreamError, HttpResponse>;

/// How a count can fail.
pub(super) type NotCounted = SdkError<CountTokensError, HttpResponse>;

/// Sends the call once.
pub(super) async fn send(client: &Client, call: &ModelCall) -> Result<ConverseStreamOutput, Failed> {
    let messages = call.messages.iter().map(message).collect::<Result<Vec<_>, _>>().map_err(unbuildable)?;
    let system = call.system.iter().flat_map(system).collect::<Vec<_>>();
    let inference = wire::InferenceConfiguration::builder()
        .max_tokens(i32::try_from(call.max_tokens).unwrap_or(i32::MAX))
        .set_temperature(call.temperature.map(|t| t as f32))
        .build();
    let effort = call.effort.map(|effort| wire::OutputConfig::builder().effort(effort.as_str()).build());
    let tier = match call.service_tier.as_deref().map(wire::ServiceTierType::from) {
        Some(tier) => Some(wire::ServiceTier::builder().r#type(tier).build().map_err(unbuildable)?),
        None => None,
    };
    let guardrail = call.guardrail.as_ref().map(|(id, version)| {
        wire::GuardrailStreamConfiguration::builder()
            .guardrail_identifier(id)
            .guardrail_version(version)
            // Text is checked before it is given out. The other way shows what is then taken back.
            .stream_processing_mode(wire::GuardrailStreamProcessingMode::Sync)
            .build()
    });
    client
        .converse_stream()
        .model_id(call.model.as_str())
        .set_system((!system.is_empty()).then_some(system))
        .set_messages(Some(messages))
        .inference_config(inference)
        .set_output_config(effort)
        .set_additional_model_request_fields(call.thinking.map(thinking))
        .set_request_metadata(
            (!call.metadata.is_empty()).then(|| call.metadata.clone().into_iter().collect()),
        )
        .set_guardrail_config(guardrail)
        .set_service_tier(tier)
        .customize()
        .interceptor(Watch(call.sent_flag.clone(), call.trace.clone()))
        .interceptor(FrameLimit)
        .send()
        .await
}

/// Converse has no field of its own for it.
fn thinking(thinking: SentThinking) -> Document {
    let mut fields = std::collections::HashMap::from([("type".to_owned(), thinking.kind().into())]);
    fields.extend(
        thinking.budget_tokens().map(|budget| ("budget_tokens".to_owned(), u64::from(budget).into())),
    );
    Document::Object([("thinking".to_owned(), Document::Object(fields))].into())
}

/// Counts the tokens of the call's prompt. The service takes the id of the model itself, without profile.
pub(super) async fn count(client: &Client, call: &ModelCall) -> Result<CountTokensOutput, NotCounted> {
    let messages = call.messages.iter().map(message).collect::<Result<Vec<_>, _>>();
    let messages = messages.map_err(SdkError::construction_failure)?;
    let system = call.system.iter().flat_map(system).collect::<Vec<_>>();
    let prompt =
        wire::ConverseTokensRequest::builder().set_messages(Some(messages)).set_system(Some(system)).build();
    client
        .count_tokens()
        .model_id(call.model.foundation().unwrap_or(call.model.as_str()))
        .input(wire::CountTokensInput::Converse(prompt))
        .send()
        .await
}

fn message(message: &Message) -> Result<wire::Message, aws_sdk_bedrockruntime::error::BuildError> {
    let role = match message.role {
        Role::User => wire::ConversationRole::User,
        Role::Assistant => wire::ConversationRole::Assistant,
    };
    let mut content = Vec::with_capacity(message.blocks.len());
    for block in &message.blocks {
        content.push(wire::ContentBlock::Text(block.text.to_string()));
        if let Some(ttl) = block.cache {
            content.push(wire::ContentBlock::CachePoint(cache_point(ttl)?));
        }
    }
    wire::Message::builder().role(role).set_content(Some(content)).build()
}

fn system(block: &TextBlock) -> Vec<wire::SystemContentBlock> {
    let mut content = vec![wire::SystemContentBlock::Text(block.text.to_string())];
    content
        .extend(block.cache.and_then(|ttl| cache_point(ttl).ok()).map(wire::SystemContentBlock::CachePoint));
    content
}

fn cache_point(ttl: CacheTtl) -> Result<wire::CachePointBlock, aws_sdk_bedrockruntime::error::BuildError> {
    let ttl = match ttl {
        CacheTtl::FiveMinutes => wire::CacheTtl::FiveMinutes,
        CacheTtl::OneHour => wire::CacheTtl::OneHour,
    };
    wire::CachePointBlock::builder().r#type(wire::CachePointType::Default).ttl(ttl).build()
}

fn unbuildable(error: aws_sdk_bedrockruntime::error::BuildError) -> Failed {
    SdkError::dispatch_failure(ConnectorError::user(error.into()))
}
