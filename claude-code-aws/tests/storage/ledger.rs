//! Money in the state table while its answers get lost, and a table that gives none.

use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use claude_code_aws::local::Twin;
use claude_code_aws::storage::dynamodb::{self, DynamoState};
use claude_code_aws::{ErrorKind, GenerateRequest, PicoUsd, Policy};
use tokio::net::TcpListener;

use super::faulty::{Fault, Faulty, Plan};
use super::{HandClock, STATE, answering, builder, twin};

fn task(n: u64) -> GenerateRequest {
    GenerateRequest::new(format!("reverse {n:04}")).with_model("haiku").without_validation()
}

/// What the day's rows of everybody and of the scope have charged, spent and reserved alike.
async fn charged(twin: &Twin) -> [i64; 2] {
    let scan = twin.dynamodb_client().scan().table_name(STATE).consistent_read(true).send().await.unwrap();
    ["BUDGET#%all#2", "BUDGET#local#2"].map(|row| {
        let rows = scan.items().iter().filter(|item| item["pk"].as_s().unwrap().starts_with(row));
        let balances = rows.filter_map(|row| row.get("balance")?.as_n().ok()?.parse::<i64>().ok());
        -balances.sum::<i64>()
    })
}

#[tokio::test]
async fn a_fault_at_any_step_of_the_shared_state_gives_no_money_back_twice() {
    let (_dir, twin) = twin().await;
    let (faulty, provider) = (Faulty::new(&twin), answering());
    let cap = PicoUsd::from_usd("1000").unwrap();
    let policy = Policy { max_usd_per_day: Some(cap), ..Policy::default() };
    let client = builder(provider.clone(), HandClock::now(), 1)
        .with_state(faulty.state(&twin))
        .with_policy(policy)
        .build();
    faulty.plan(None);
    let cost = client.generate(task(0)).await.unwrap().receipt.total().known().0 as i64;
    let steps = faulty.steps().len();
    assert!(steps >= 10, "{:?}", faulty.steps());
    let (mut n, mut refused) = (1, 0);
    for step in 0..steps {
        for fault in [Fault::Before, Fault::After, Fault::Status(500)] {
            for times in [1, usize::MAX] {
                let (before, had) = (provider.calls().len(), charged(&twin).await);
                faulty.plan(Some(Plan { step, fault, times }));
                let result = client.generate(task(n)).await;
                let sent = provider.calls().len() - before;
                let why = format!("step {step} {fault:?} {times}: {result:?}");
                match result {
                    Ok(g) => assert!(g.accepted && sent == 1, "{why}"),
                    Err(error) => {
                        assert!(error.kind() == ErrorKind::Storage && sent == 0, "{why}");
                        refused += 1;
                    }
                }
                faulty.plan(None);
                for (has, had) in charged(&twin).await.into_iter().zip(had) {
                    assert!(has - had >= sent as i64 * cost, "{why}: {has} after {had}");
                }
                n += 1;
            }
        }
    }
    assert!(refused > 0, "a reservation that cannot be made is refused");
    println!("{} faults at {steps} steps of the shared state, {refused} refused", n - 1);
}

#[tokio::test]
async fn an_addition_that_was_throttled_is_made_again() {
    let (_dir, twin) = twin().await;
    let (faulty, provider) = (Faulty::new(&twin), answering());
    let policy = Policy { max_usd_per_day: Some(PicoUsd::from_usd("1000").unwrap()), ..Policy::default() };
    let state = faulty.state(&twin);
    let client = builder(provider, HandClock::now(), 1).with_state(state).with_policy(policy).build();
    faulty.plan(None);
    client.generate(task(0)).await.unwrap();
    let is_add = |step: &String| step.contains("balance");
    let step = faulty.steps().iter().position(is_add).unwrap();
    faulty.plan(Some(Plan { step, fault: Fault::Throttled, times: 3 }));
    assert!(client.generate(task(1)).await.unwrap().accepted);
}

/// An endpoint that takes every connection and never says a word.
async fn silent() -> (TcpListener, SdkConfig) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let keys = Credentials::new("AK", "not-a-secret", None, None, "test");
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .endpoint_url(format!("http://{}", listener.local_addr().unwrap()))
        .build();
    (listener, sdk)
}

#[tokio::test]
async fn a_table_that_never_answers_keeps_no_answer_back() {
    let (_listener, sdk) = silent().await;
    let state = Arc::new(DynamoState::new(dynamodb::client(&sdk), STATE));
    let client =
        |policy| builder(answering(), HandClock::now(), 1).with_state(state.clone()).with_policy(policy);
    let brief = || task(1).with_timeout(Duration::from_millis(400));
    let free = client(Policy::default()).build();
    assert!(free.generate(brief()).await.unwrap().accepted);
    let cap = Some(PicoUsd::from_usd("1000").unwrap());
    let capped = client(Policy { max_usd_per_day: cap, ..Policy::default() }).build();
    assert_eq!(capped.generate(brief()).await.unwrap_err().kind(), ErrorKind::Storage);
}

#[tokio::test]
async fn clients_of_stores_have_limits_and_keep_those_of_the_configuration() {
    let (_listener, sdk) = silent().await;
    let attempt =
        |limits: Option<&TimeoutConfig>| limits.unwrap().operation_attempt_timeout().unwrap().as_secs();
    assert_eq!(attempt(dynamodb::client(&sdk).config().timeout_config()), 5);
    assert_eq!(attempt(claude_code_aws::storage::s3::client(&sdk).config().timeout_config()), 60);
    let own = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(2)).build();
    let sdk = sdk.into_builder().timeout_config(own).build();
    assert_eq!(attempt(dynamodb::client(&sdk).config().timeout_config()), 2);
}
