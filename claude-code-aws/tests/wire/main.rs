//! Faults of every kind on the wire: the real SDK, our providers and the whole client against scripted bytes, over
//! TCP in real time and inside the process in paused time.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod anthropic;
mod bytes;
mod canary;
mod cancel;
mod contract;
mod credentials;
mod damage;
mod facts;
mod fields;
mod in_process;
mod messages;
mod places;
mod recorded;
mod refused;
mod seeds;
mod sends;
mod server;
#[cfg(feature = "server")]
mod stored_key;
mod streams;
mod usage;

#[path = "../../../claude-code-core/tests/support/corpus.rs"]
mod corpus;

use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use claude_code_aws::anthropic::{Anthropic, Settings};
use claude_code_aws::bedrock::Bedrock;
use claude_code_aws::clock::{SystemClock, SystemIds};
use claude_code_aws::select::Reach;
use claude_code_aws::{Client, ClientBuilder, GenerateRequest, Policy, Secret};
use claude_code_core::testing;

use in_process::Replies;
use server::Server;

pub const REVERSE: &str =
    "Here it is.\n\n```python reverse.py\ndef reverse(text):\n    return text[::-1]\n```\n";
pub const MODEL: &str = "global.anthropic.claude-sonnet-5-5";

/// A request to one model, which has no fallback.
pub fn request() -> GenerateRequest {
    GenerateRequest::new("reverse a string").with_model(MODEL)
}

/// A request that may be sent once.
pub fn once() -> GenerateRequest {
    request().with_max_sends(1)
}

pub fn sdk() -> aws_types::sdk_config::Builder {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
}

/// Bedrock at the server, over TCP.
pub fn bedrock(server: &Server) -> Bedrock {
    Bedrock::new(&sdk().endpoint_url(&server.url).build())
}

/// Bedrock as these replies play it, without a network.
pub fn replayed(replies: &Replies) -> Bedrock {
    let replies = SharedHttpConnector::new(replies.clone());
    Bedrock::new(&sdk().http_client(http_client_fn(move |_, _| replies.clone())).build())
}

/// Limits in milliseconds, for real time.
pub fn quick() -> Policy {
    Policy {
        first_event: Some(Duration::from_millis(400)),
        idle: Some(Duration::from_millis(400)),
        total: Duration::from_secs(20),
        ..Policy::default()
    }
}

/// A client in real time.
pub fn real(server: &Server) -> Client {
    let provider = Arc::new(bedrock(server));
    ClientBuilder::new(provider, Arc::new(SystemClock), Arc::new(SystemIds)).with_policy(quick()).build()
}

/// A client in paused time.
pub fn paused(replies: &Replies) -> Client {
    testing::builder(Arc::new(replayed(replies))).build()
}

/// A client of the Messages API in paused time.
pub fn messages_api(replies: &Replies) -> Client {
    let settings = Settings { api_key: Some(Secret::new("key")), ..Settings::default() };
    let provider = Anthropic::new(&settings, SharedHttpConnector::new(replies.clone()), true).unwrap();
    let policy = Policy { reach: Reach::AnthropicApi, ..Policy::default() };
    testing::builder(Arc::new(provider)).with_policy(policy).build()
}

/// How much of a campaign runs: all of it where CAMPAIGN is set, else every twentieth case.
pub fn campaign() -> usize {
    if std::env::var_os("CAMPAIGN").is_some() { 1 } else { 20 }
}
