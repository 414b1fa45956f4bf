//! Model facts from Bedrock without generating: the model of an inference profile, and the tokens of a prompt.

use claude_code_core::provider::{Billing, ModelCall, ModelFacts, ProviderError};
use claude_code_core::{ErrorKind, ModelId};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use aws_sdk_bedrockruntime::error::ProvideErrorMetadata;

use super::{Bedrock, request};

impl ModelFacts for Bedrock {
    fn resolve(&self, profile: ModelId) -> BoxFuture<'static, Result<ModelId, ProviderError>> {
        let control = self.in_region_of(&profile).control.clone();
        async move { control.model_behind(&profile).await }.boxed()
    }

    fn count_tokens(&self, call: ModelCall) -> BoxFuture<'static, Result<u64, ProviderError>> {
        let provider = self.in_region_of(&call.model);
        async move {
            match request::count(&provider.current().client, &call).await {
                Ok(counted) => Ok(u64::try_from(counted.input_tokens()).unwrap_or(0)),
                Err(failed) => Err(not_counted(&call.model, failed.code())),
            }
        }
        .boxed()
    }
}

/// Models that are reached through profiles alone are not counted for at this address: the service answers 400.
fn not_counted(model: &ModelId, code: Option<&str>) -> ProviderError {
    let name = model.foundation().unwrap_or(model.as_str());
    let (kind, text) = match code {
        Some("ValidationException" | "ResourceNotFoundException") => {
            (ErrorKind::InvalidRequest, format!("Bedrock's runtime does not count for {name}"))
        }
        Some("AccessDeniedException") => (
            ErrorKind::AccessDenied,
            format!("allow bedrock:CountTokens on foundation model {name} to have them counted"),
        ),
        Some("ThrottlingException") => {
            (ErrorKind::Throttled, "Bedrock throttles counting: ask again later".to_owned())
        }
        Some(code) => (ErrorKind::Unavailable, format!("Bedrock did not count them ({code})")),
        None => (
            ErrorKind::Unavailable,
            "Bedrock could not be asked for them: check network and credentials".to_owned(),
        ),
    };
    ProviderError::new(kind, Billing::No, text)
}
