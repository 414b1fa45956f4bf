//! Token counting and model metadata of the Messages API: requests that generate nothing.

use aws_smithy_runtime_api::client::http::HttpConnector;
use claude_code_core::provider::{Billing, ModelCall, ModelFacts, ProviderError};
use claude_code_core::{ErrorKind, ModelId};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;

use crate::model_service::redact::Sent;

use super::{Anthropic, MAX_ERROR, collect, error, first, request, unsent};

/// The answer; what else is in it is passed over.
#[derive(Deserialize)]
struct Counted {
    input_tokens: u64,
}

impl Anthropic {
    async fn count(&self, call: &ModelCall) -> Result<u64, ProviderError> {
        let unreadable = || {
            let text = "the server's count of tokens could not be read: it may have none";
            ProviderError::new(ErrorKind::Protocol, Billing::No, text)
        };
        let body = request::counted(call);
        let request = self.request(self.endpoint.count.clone(), &body).map_err(|_| unreadable())?;
        let response = self.connector.call(request).await.map_err(|failed| unsent(&failed))?;
        let status = response.status().as_u16();
        if status != 200 {
            let sent = Sent { call, key: self.key.as_ref() };
            let kind = response.headers().get("content-type").map(str::to_owned);
            return Err(error::of_response(sent, status, kind.as_deref(), &first(response, MAX_ERROR).await));
        }
        let body = collect(&mut response.into_body(), MAX_ERROR).await?;
        serde_json::from_slice::<Counted>(&body).map(|counted| counted.input_tokens).map_err(|_| unreadable())
    }
}

impl ModelFacts for Anthropic {
    fn resolve(&self, profile: ModelId) -> BoxFuture<'static, Result<ModelId, ProviderError>> {
        let text = format!("{profile} is a profile of Bedrock, which the Messages API does not know");
        async move { Err(ProviderError::new(ErrorKind::InvalidRequest, Billing::No, text)) }.boxed()
    }

    fn count_tokens(&self, call: ModelCall) -> BoxFuture<'static, Result<u64, ProviderError>> {
        let provider = self.clone();
        async move { provider.count(&call).await }.boxed()
    }
}
