use std::collections::HashMap;

use claude_code_aws::connect::config::{Provider, Store};
use claude_code_aws::local;
use claude_code_aws::{Config, ErrorKind, GenerateRequest};

use super::REVERSE;

fn config(vars: &[(&str, &str)]) -> Result<Config, claude_code_aws::Error> {
    Config::from_vars(vars.iter().map(|(k, v)| (format!("CLAUDE_CODE_AWS_{k}"), (*v).to_owned())))
}

#[tokio::test]
async fn two_clients_of_one_directory_share_results_and_cache() {
    let dir = tempfile::tempdir().unwrap();
    let first = local::open(dir.path()).await.unwrap();
    let second = local::open(dir.path()).await.unwrap();
    let g = first.generate(REVERSE).await.unwrap();
    assert!(g.stored, "{:?}", g.stored_problem);
    assert_eq!(second.results().unwrap().get(second.scope(), &g.id).await.unwrap().files, g.files);
    assert!(second.generate(REVERSE).await.unwrap().cached.is_some());
}

#[tokio::test]
async fn a_store_by_default_that_cannot_be_had_costs_the_storing_only() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut config = Config {
        provider: Provider::Samples,
        default_store: Store::Disk,
        local_dir: Some(file.path().join("below")),
        ..Config::default()
    };
    let client = claude_code_aws::connect(config.clone()).await.unwrap();
    let g = client.generate(REVERSE).await.unwrap();
    assert!(g.accepted && !g.stored);
    assert!(g.stored_problem.unwrap().contains("cannot write to"));
    let cap = claude_code_aws::PicoUsd::from_usd("1").unwrap();
    for (all, each) in [(Some(cap), None), (None, Some(cap))] {
        let mut capped = config.clone();
        (capped.policy.max_usd_per_day, capped.policy.max_usd_per_day_per_scope) = (all, each);
        let error = claude_code_aws::connect(capped).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Storage && error.message().contains("the day's cap"), "{error}");
    }
    config.store = Some(Store::Disk);
    assert_eq!(claude_code_aws::connect(config).await.unwrap_err().kind(), ErrorKind::Storage);
}

#[tokio::test]
async fn answers_of_one_script_are_not_served_for_another_over_the_same_directory() {
    let dir = tempfile::tempdir().unwrap();
    let answered = |name: &'static str, text: &'static str| {
        let path = dir.path().join(name);
        std::fs::write(&path, format!("{{\"steps\": [{{\"answer\": {{\"text\": \"{text}\"}}}}]}}")).unwrap();
        let config = Config {
            provider: Provider::Samples,
            store: Some(Store::Disk),
            local_dir: Some(dir.path().join("data")),
            answers: Some(local::answers_of(&path).unwrap()),
            ..Config::default()
        };
        async move {
            let client = claude_code_aws::connect(config).await.unwrap();
            let g = client.generate(GenerateRequest::new("x").without_validation()).await.unwrap();
            (g.code().unwrap().to_owned(), g.cached.is_some())
        }
    };
    let (a, b) = ("```python a.py\\na = 1\\n```", "```python b.py\\nb = 2\\n```");
    assert_eq!(answered("a.json", a).await, ("a = 1\n".to_owned(), false));
    assert_eq!(answered("b.json", b).await, ("b = 2\n".to_owned(), false));
    assert_eq!(answered("c.json", a).await, ("a = 1\n".to_owned(), true), "the same script by another name");
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let error = local::open(file.join("below")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.message().contains("a-file"), "{error}");
    assert!(!error.message().contains('\n'));
}

#[tokio::test]
async fn a_damaged_database_is_set_aside_and_never_silently_replaced() {
    let dir = tempfile::tempdir().unwrap();
    drop(local::open(dir.path()).await.unwrap());
    let damaged: Vec<u8> = vec![7; 9000];
    let name = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .find(|name| name.contains("dynamodb") && name.ends_with("sqlite"))
        .unwrap();
    std::fs::write(dir.path().join(&name), &damaged).unwrap();
    let client = local::open(dir.path()).await.unwrap();
    assert!(client.generate(REVERSE).await.unwrap().stored);
    let aside = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains("damaged"))
        .expect("the damaged file is kept");
    assert_eq!(std::fs::read(aside).unwrap(), damaged);
}

#[tokio::test]
async fn a_retired_model_names_its_successor() {
    let dir = tempfile::tempdir().unwrap();
    let client = local::open(dir.path()).await.unwrap();
    let request = GenerateRequest::new(REVERSE).with_model("anthropic.claude-3-5-sonnet-20241022-v2:0");
    let error = client.generate(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Retired);
    assert!(error.message().contains("claude-sonnet-5-5"), "{error}");
}

#[tokio::test]
async fn settings_that_cannot_be_used_name_variable_value_and_form() {
    let table = [
        ("PROVIDER", "openai", "bedrock, anthropic or samples"),
        ("STORE", "tape", "none, disk or aws"),
        ("PROFILE_SCOPE", "mars", "global, us, eu"),
        ("MAX_USD_PER_DAY", "-1", "dollars"),
        ("MAX_SENDS", "0", "whole number above 0"),
        ("TIMEOUT_SECONDS", "soon", "whole number above 0"),
        ("CACHE_TTL_SECONDS", "1.5", "whole number above 0"),
    ];
    for (name, value, form) in table {
        let error = config(&[(name, value)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        for part in [name, value, form] {
            assert!(error.message().contains(part), "{part}: {error}");
        }
    }
}

#[test]
fn settings_are_read_from_the_environment_with_their_defaults() {
    let plain = config(&[]).unwrap();
    assert_eq!((plain.table_name.as_str(), plain.store), ("claude-code-results", None));
    assert_eq!(plain.policy.cache_ttl.as_secs(), 3600);
    let set = config(&[("TABLE_NAME", "t"), ("MAX_USD_PER_REQUEST", "0.25"), ("MAX_SENDS", "1")]).unwrap();
    assert_eq!((set.table_name.as_str(), set.store), ("t", Some(Store::Aws)));
    assert!(set.policy.max_usd_is_set);
    assert_eq!((set.policy.max_usd_per_request.to_string(), set.policy.max_sends), ("0.25".into(), 1));
    let api = config(&[
        ("SERVE_TOKEN", "canary-0123456789"),
        ("ALLOWED_ORIGINS", "https://a.example, https://b.example,"),
        ("RESPONSE_STREAMING", "1"),
    ]);
    let api = api.unwrap().api;
    assert_eq!(
        (api.origins.as_slice(), api.streaming),
        (&["https://a.example".into(), "https://b.example".into()][..], true)
    );
    assert!(api.token.is_some() && !format!("{api:?}").contains("canary"));
    let lambda = HashMap::from([("AWS_LAMBDA_FUNCTION_NAME".to_owned(), "f".to_owned())]);
    let lambda = Config::from_vars(lambda).unwrap();
    assert_eq!((lambda.store, lambda.allow_endpoint_override), (Some(Store::Aws), false));
}
