//! The Messages API's key in a Secrets Manager that cannot be reached: one line with cause and fix, and no prompt leaves.

use tokio::net::TcpListener;

use super::configured::{KEYS, Machine};
use super::lab::{Ca, Server};

const ARN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:claude-code/key-AbCdEf";
const SECRETS: &str = "secretsmanager.us-east-1.amazonaws.com";

/// A machine whose key is a secret, with a Messages API of its own.
fn machine(model: &Server) -> Machine {
    Machine::new("[default]\nregion = us-east-1\n", &format!("[default]\n{KEYS}"))
        .with("CLAUDE_CODE_AWS_PROVIDER", "anthropic")
        .with("CLAUDE_CODE_AWS_ANTHROPIC_SECRET_ARN", ARN)
        .with("ANTHROPIC_BASE_URL", format!("http://127.0.0.1:{}", model.port))
}

/// The only error of a run, which must be one line that names the secret and these words.
async fn assert_told(machine: Machine, words: &[&str]) {
    let (code, told) = machine.generate().await;
    let errors: Vec<&str> = told.lines().filter(|line| line.starts_with("error:")).collect();
    assert!(code == 1 && errors.len() == 1, "{told}");
    for word in [ARN].iter().chain(words) {
        assert!(errors[0].contains(word), "{word}: {told}");
    }
}

#[tokio::test]
async fn a_secrets_manager_that_cannot_be_reached_is_told_by_its_cause_with_the_fix() {
    let model = Server::plain().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let ca = Ca::new();
    let unknown = Server::tls(&ca, &["127.0.0.1"]).await;
    let url = format!("https://127.0.0.1:{}", unknown.port);
    for (url, words) in [
        (format!("http://{closed}"), ["refused the connection", "check host and port"]),
        (url, ["a CA that this machine does not know", "set AWS_CA_BUNDLE"]),
        ("https://no-such-host.invalid".to_owned(), ["no-such-host.invalid", "check"]),
    ] {
        assert_told(machine(&model).with("AWS_ENDPOINT_URL_SECRETS_MANAGER", url), &words).await;
    }
    assert_eq!(model.connections(), 0);
}

#[tokio::test]
async fn a_proxy_that_wants_a_password_before_secrets_manager_is_told_and_nothing_goes_past_it() {
    let (model, ca) = (Server::plain().await, Ca::new());
    let secrets = Server::tls(&ca, &[SECRETS]).await;
    let proxy = Server::proxy(secrets.port, Some("bm9ib2R5OmNhbmFyeQ==")).await;
    let behind = machine(&model).behind(&proxy, &ca);
    assert_told(behind, &["407", "HTTPS_PROXY=http://user:password@host:port"]).await;
    assert_eq!((secrets.connections(), model.connections()), (0, 0));
    assert_eq!(proxy.connections(), 1, "the SDK's own retries do not hold up what cannot go better");
}

#[tokio::test]
async fn a_secrets_manager_that_takes_the_request_and_says_nothing_is_given_up() {
    let model = Server::plain().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let machine = machine(&model).with("AWS_ENDPOINT_URL_SECRETS_MANAGER", url);
    assert_told(machine, &["did not answer", "set ANTHROPIC_API_KEY"]).await;
    assert_eq!(model.connections(), 0);
}
