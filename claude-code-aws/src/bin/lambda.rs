//! The Lambda function: clients are made once, then one event after the other; jobs come over the queue.

use claude_code_aws::http::lambda;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    lambda::run(lambda::from_env().await?).await
}
