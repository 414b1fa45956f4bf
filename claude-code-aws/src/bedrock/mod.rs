//! Claude on Amazon Bedrock, over ConverseStream: one attempt per call, the SDK's own retries off.

mod error;
mod event;
mod guard;
mod order;
mod request;

use aws_config::SdkConfig;
use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::primitives::event_stream::EventReceiver;
use aws_sdk_bedrockruntime::types::ConverseStreamOutput;
use aws_sdk_bedrockruntime::types::error::ConverseStreamOutputError;
use aws_smithy_types::retry::RetryConfig;
use claude_code_core::provider::{ModelCall, ModelEvent, ModelProvider, ProviderError};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

use order::Order;

/// Claude through Bedrock's runtime.
#[derive(Clone, Debug)]
pub struct Bedrock {
    client: Client,
    name: &'static str,
}

impl Bedrock {
    /// Bedrock as this configuration reaches it. Retries are the client's alone; timeouts that the SDK has do not
    /// guard event streams, so ours do.
    pub fn new(config: &SdkConfig) -> Self {
        let config = aws_sdk_bedrockruntime::config::Builder::from(config)
            .retry_config(RetryConfig::disabled())
            .interceptor(guard::FrameLimit)
            .build();
        Bedrock { client: Client::from_conf(config), name: "bedrock" }
    }

    /// The same under another name, for what stands behind a Bedrock endpoint that is not AWS's.
    pub fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }
}

impl ModelProvider for Bedrock {
    fn name(&self) -> &'static str {
        self.name
    }

    fn stream(&self, call: ModelCall) -> BoxStream<'static, Result<ModelEvent, ProviderError>> {
        let client = self.client.clone();
        stream::unfold(Phase::Unsent(Box::new((client, call))), |phase| async move {
            let mut open = match phase {
                Phase::Unsent(unsent) => {
                    let (client, call) = *unsent;
                    match request::send(&client, &call).await {
                        Ok(output) => Box::new(Open { events: output.stream, order: Order::default(), call }),
                        Err(failed) => {
                            return Some((Err(error::before_stream(&call.model, failed)), Phase::Ended));
                        }
                    }
                }
                Phase::Open(open) => open,
                Phase::Ended => return None,
            };
            match open.next().await {
                Some(Ok(event)) => Some((Ok(event), Phase::Open(open))),
                Some(Err(fault)) => Some((Err(fault), Phase::Ended)),
                None => None,
            }
        })
        .boxed()
    }
}

/// Where a call stands.
enum Phase {
    Unsent(Box<(Client, ModelCall)>),
    Open(Box<Open>),
    Ended,
}

/// A call whose answer arrives.
struct Open {
    events: EventReceiver<ConverseStreamOutput, ConverseStreamOutputError>,
    order: Order,
    call: ModelCall,
}

impl Open {
    async fn next(&mut self) -> Option<Result<ModelEvent, ProviderError>> {
        loop {
            let arrived = match self.events.recv().await {
                Ok(Some(arrived)) => arrived,
                Ok(None) => return None,
                Err(failed) => return Some(Err(error::within_stream(&self.call.model, failed))),
            };
            if let Err(fault) = self.order.check(&arrived) {
                return Some(Err(fault));
            }
            if let Some(event) = event::translate(arrived) {
                return Some(Ok(event));
            }
        }
    }
}
