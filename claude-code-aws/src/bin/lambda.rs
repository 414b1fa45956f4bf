//! The Lambda function: clients are made once, then one event after the other.

use claude_code_aws::Config;
use claude_code_aws::http::lambda;
use lambda_http::{Error, Request, run, run_with_streaming_response, service_fn};

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
    let answer = |event: Request| {
        let app = app.clone();
        async move { Ok::<_, Error>(lambda::answer(app, event).await) }
    };
    if std::env::var(STREAMING).is_ok_and(|value| value == "1") {
        return run_with_streaming_response(service_fn(answer)).await;
    }
    run(service_fn(answer)).await
}
