//! The Lambda function: clients are made once, then one event after the other; jobs come over the queue.

use claude_code_aws::Config;
use claude_code_aws::http::lambda;
use lambda_http::Error;

/// Origins of browsers that may call, separated by commas.
const ORIGINS: &str = "CLAUDE_CODE_AWS_ALLOWED_ORIGINS";
/// `1` where the function URL or the gateway streams responses.
const STREAMING: &str = "CLAUDE_CODE_AWS_RESPONSE_STREAMING";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let origins = std::env::var(ORIGINS).unwrap_or_default();
    let origins =
        origins.split(',').map(|origin| origin.trim().to_owned()).filter(|o| !o.is_empty()).collect();
    let app = lambda::app(&Config::from_env()?, origins).await?;
    let streaming = std::env::var(STREAMING).is_ok_and(|value| value == "1");
    lambda::run(app, streaming).await
}
