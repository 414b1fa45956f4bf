//! The Messages API's key in AWS Secrets Manager.

use claude_code_aws::{Config, ErrorKind, GenerateRequest, connect};
use serde_json::json;

use super::bytes::{ok, refusal, sse};
use super::server::{Script, Server};
use super::{REVERSE, sdk};

const ARN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:claude-code/key-AbCdEf";
const KEY: &str = "sk-canary";

fn config(model: &Server) -> Config {
    let vars = [
        ("CLAUDE_CODE_AWS_PROVIDER", "anthropic"),
        ("CLAUDE_CODE_AWS_ANTHROPIC_SECRET_ARN", ARN),
        ("CLAUDE_CODE_AWS_STORE", "none"),
        ("ANTHROPIC_BASE_URL", &model.url),
    ];
    Config::from_vars(vars.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap()
}

async fn answering() -> Server {
    Server::start([Script::new(ok("text/event-stream", sse(REVERSE, "end_turn").concat().as_bytes()))]).await
}

#[tokio::test]
async fn a_key_in_secrets_manager_is_read_once_and_shown_nowhere() {
    let body = json!({ "ARN": ARN, "Name": "claude-code/key", "SecretString": format!("{KEY}\n") });
    let secrets =
        Server::start([Script::new(ok("application/x-amz-json-1.1", body.to_string().as_bytes()))]).await;
    let model = answering().await;
    let config = config(&model);
    let client = connect(config.clone().with_sdk_config(sdk().endpoint_url(&secrets.url).build()))
        .await
        .expect("a client");
    for prompt in ["reverse a string", "reverse a list"] {
        assert!(client.generate(GenerateRequest::new(prompt).with_model("sonnet")).await.unwrap().accepted);
    }
    assert_eq!(secrets.sends(), 1, "the secret is read once");
    assert!(secrets.request(0).contains("secretsmanager.GetSecretValue") && secrets.request(0).contains(ARN));
    for at in 0..2 {
        assert!(model.request(at).to_lowercase().contains(&format!("x-api-key: {KEY}\r\n")), "request {at}");
    }
    assert!(!format!("{config:?} {client:?}").contains(KEY));
}

#[tokio::test]
async fn a_secret_that_may_not_be_read_is_named_with_the_permission() {
    let denied = refusal(400, "AccessDeniedException", "not authorized", "");
    let secrets = Server::start([Script::new(denied)]).await;
    let model = answering().await;
    let error = connect(config(&model).with_sdk_config(sdk().endpoint_url(&secrets.url).build()))
        .await
        .expect_err("no key");
    assert_eq!(error.kind(), ErrorKind::Credentials);
    for part in [ARN, "AccessDeniedException", "secretsmanager:GetSecretValue"] {
        assert!(error.message().contains(part), "{error}");
    }
    assert_eq!(model.sends(), 0);
}

#[tokio::test]
async fn why_a_secret_cannot_be_read_is_told_by_its_cause() {
    let model = answering().await;
    let gone = Server::start([Script::new(refusal(400, "ResourceNotFoundException", "none", ""))]).await;
    let broken = Server::start([Script::new(refusal(400, "InvalidRequestException", "none", ""))]).await;
    for (server, part) in [
        (&gone, "there is no such secret: correct the ARN or the region"),
        (&broken, "InvalidRequestException: try again, or set ANTHROPIC_API_KEY"),
    ] {
        let sdk = sdk().endpoint_url(&server.url).build();
        let error = connect(config(&model).with_sdk_config(sdk.clone())).await.expect_err("no key");
        assert!(error.kind() == ErrorKind::Credentials && error.message().contains(part), "{error}");
    }
    assert_eq!(model.sends(), 0);
}
