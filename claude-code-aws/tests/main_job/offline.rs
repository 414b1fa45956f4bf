use std::sync::Arc;

use aws_sdk_bedrock::types::InferenceProfileModelSource;
use aws_sdk_dynamodb::types::AttributeValue;
use claude_code_aws::bedrock::Bedrock;
use claude_code_aws::clock::{SystemClock, SystemIds};
use claude_code_aws::local::{self, BUCKET, Question, Reply, Responder, Samples, Twin};
use claude_code_aws::{Client, ClientBuilder, Cost, ErrorKind, GenerateRequest};

use super::REVERSE;

#[tokio::test]
async fn a_prompt_becomes_stored_code_without_an_account() {
    let dir = tempfile::tempdir().unwrap();
    let client = local::open(dir.path()).await.unwrap();
    let g = client.generate(REVERSE).await.unwrap();
    assert!(g.accepted && g.stored, "{g:?} {:?}", g.stored_problem);
    assert!(g.code().unwrap().contains("def "));
    assert!(g.sample, "sample answers are labelled");
    assert_eq!(g.receipt.total(), Cost::ZERO);
    assert_eq!(g.attempts.len(), 1);
}

/// Row and object as the contract says, read back with the plain SDK after everything was closed and opened again.
#[tokio::test]
async fn row_and_object_are_what_the_contract_says_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let g = {
        let client = local::open(dir.path()).await.unwrap();
        client.generate(REVERSE).await.unwrap()
    };
    let twin = Twin::open(dir.path()).unwrap();
    let row = twin
        .dynamodb_client()
        .get_item()
        .table_name("claude-code-results")
        .key("id", AttributeValue::S(g.id.clone()))
        .send()
        .await
        .unwrap()
        .item
        .expect("the row is there");
    let text = |name: &str| row[name].as_s().unwrap().as_str();
    assert_eq!(text("prompt"), REVERSE);
    assert_eq!(text("language"), "python");
    assert_eq!(text("generated_at"), g.generated_at.iso());
    assert_eq!(text("model"), g.model);
    assert_eq!(text("stop_reason"), "end_turn");
    assert_eq!(text("scope"), "local");
    assert_eq!(row["code_length"].as_n().unwrap(), &g.code_length().to_string());
    let expires: i64 = row["expires_at"].as_n().unwrap().parse().unwrap();
    assert_eq!(expires, g.generated_at.seconds() + 89 * 86_400);
    let s3_key = text("s3_key");
    assert_eq!(s3_key, format!("generated-code/python/{}-{}.py", g.generated_at.compact(), g.id));
    let file = row["files"].as_l().unwrap()[0].as_m().unwrap();
    assert_eq!(file["sha256"].as_s().unwrap(), &g.files[0].sha256());

    let s3 = twin.s3_client();
    let object = s3.get_object().bucket(BUCKET).key(s3_key).send().await.unwrap();
    let metadata = object.metadata().unwrap().clone();
    assert_eq!((metadata["id"].as_str(), metadata["language"].as_str()), (g.id.as_str(), "python"));
    let body = object.body.collect().await.unwrap().to_vec();
    assert_eq!(String::from_utf8(body).unwrap(), g.files[0].content);
    let manifest =
        s3.get_object().bucket(BUCKET).key(s3_key.replace(".py", ".manifest.json")).send().await.unwrap();
    let manifest: serde_json::Value =
        serde_json::from_slice(&manifest.body.collect().await.unwrap().to_vec()).unwrap();
    assert_eq!(manifest["id"], g.id.as_str());
    assert!(manifest["files"][0].get("content").is_none());
    assert_eq!(manifest["files"][0]["sha256"], g.files[0].sha256().as_str());
}

#[tokio::test]
async fn the_cache_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let first = local::open(dir.path()).await.unwrap().generate(REVERSE).await.unwrap();
    let second = local::open(dir.path()).await.unwrap().generate(REVERSE).await.unwrap();
    assert_eq!(second.id, first.id);
    assert!(second.cached.is_some() && second.stored);
    assert_eq!(second.files, first.files);
}

#[tokio::test]
async fn several_files_are_stored_under_one_prefix() {
    let dir = tempfile::tempdir().unwrap();
    let client = local::open(dir.path()).await.unwrap();
    let prompt = "Write a Python function that checks whether a string is a palindrome, with tests.";
    let g = client.generate(prompt).await.unwrap();
    assert!(g.files.len() >= 2 && g.stored);
    assert!(g.s3_key.as_deref().unwrap().ends_with('/'));
    let kept = client.results().unwrap().get(client.scope(), &g.id).await.unwrap();
    assert_eq!((kept.files, kept.text, kept.receipt), (g.files, g.text, g.receipt));
}

#[tokio::test]
async fn an_unknown_prompt_names_the_nearest_sample_and_three_ways_to_a_model() {
    let dir = tempfile::tempdir().unwrap();
    let client = local::open(dir.path()).await.unwrap();
    let error = client.generate("Write a Python function that reverses a list.").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSample);
    for part in [REVERSE, "AWS credentials", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"] {
        assert!(error.message().contains(part), "{part}: {error}");
    }
}

/// The twin's Bedrock, asked and paid for as if it were AWS's.
fn over(twin: &Twin) -> Client {
    let provider = Arc::new(Bedrock::new(&twin.sdk_config()));
    ClientBuilder::new(provider.clone(), Arc::new(SystemClock), Arc::new(SystemIds))
        .with_facts(provider)
        .build()
}

/// Samples that are billed as a model's answers.
#[derive(Debug)]
struct AsAModel(Samples);

#[async_trait::async_trait]
impl Responder for AsAModel {
    async fn answer(&self, question: &Question) -> Reply {
        self.0.reply(question).unlabelled()
    }
}

#[tokio::test]
async fn an_application_profile_of_the_twin_is_priced_as_the_profile_that_it_was_copied_from() {
    let dir = tempfile::tempdir().unwrap();
    let twin = Twin::lazy(dir.path(), Arc::new(AsAModel(Samples::built_in())));
    let control = aws_sdk_bedrock::Client::new(&twin.sdk_config());
    for copied in ["us.anthropic.claude-sonnet-5-5", "global.anthropic.claude-haiku-5-5"] {
        let source = format!("arn:aws:bedrock:us-east-1:000000000000:inference-profile/{copied}");
        let name = copied.replace('.', "-");
        let made = control
            .create_inference_profile()
            .inference_profile_name(name)
            .model_source(InferenceProfileModelSource::CopyFrom(source))
            .send()
            .await
            .unwrap();
        let ask = |model: &str| GenerateRequest::new(REVERSE).with_model(model);
        let through = over(&twin).generate(ask(made.inference_profile_arn())).await.unwrap();
        let itself = over(&twin).generate(ask(copied)).await.unwrap();
        assert_eq!(through.receipt.total(), itself.receipt.total(), "{copied}");
        assert!(matches!(through.receipt.total(), Cost::Priced(paid) if paid.0 > 0));
        assert_eq!(through.model, made.inference_profile_arn());
    }
}

#[tokio::test]
async fn a_profile_that_the_twin_may_not_tell_of_is_sent_without_a_price() {
    let dir = tempfile::tempdir().unwrap();
    let twin = Twin::lazy(dir.path(), Arc::new(AsAModel(Samples::built_in())));
    let denied = Reply::Error { code: "AccessDeniedException".into(), status: 403, message: "no".into() };
    twin.refuse_control("GetInferenceProfile", 1, &denied);
    let arn = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc123abc123";
    let g = over(&twin).generate(GenerateRequest::new(REVERSE).with_model(arn)).await.unwrap();
    assert!(matches!(g.receipt.total(), Cost::Unpriced { .. }), "{:?}", g.receipt.total());
    assert!(
        g.warnings.iter().any(|warning| warning.contains("bedrock:GetInferenceProfile")),
        "{:?}",
        g.warnings
    );
}
