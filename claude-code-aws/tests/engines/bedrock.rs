use aws_sdk_bedrockruntime::error::SdkError;
use aws_sdk_bedrockruntime::operation::converse::{ConverseError, ConverseOutput};
use aws_sdk_bedrockruntime::types::{
    ContentBlock, ContentBlockDelta, ConversationRole, ConverseStreamOutput, InferenceConfiguration, Message,
    StopReason,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use claude_code_aws::local::{Role, Samples, Twin, estimate_tokens};

use crate::support::{code, twin};

pub(crate) const REVERSE: &str = "Write a Python function that reverses a string.";
const SONNET: &str = "global.anthropic.claude-sonnet-5-5";

fn message(role: ConversationRole, text: &str) -> Message {
    Message::builder().role(role).content(ContentBlock::Text(text.to_owned())).build().unwrap()
}

pub(crate) fn user(text: &str) -> Message {
    message(ConversationRole::User, text)
}

pub(crate) async fn ask(twin: &Twin, prompt: &str) -> Result<ConverseOutput, SdkError<ConverseError>> {
    twin.bedrock_client().converse().model_id(SONNET).messages(user(prompt)).send().await
}

fn text(output: &ConverseOutput) -> String {
    let message = output.output().unwrap().as_message().unwrap();
    message.content()[0].as_text().unwrap().clone()
}

fn refusal(result: Result<ConverseOutput, SdkError<ConverseError>>) -> (u16, String, String) {
    let error = result.expect_err("a refusal");
    let status = error.raw_response().unwrap().status().as_u16();
    let error = error.into_service_error();
    (status, error.code().unwrap().to_owned(), error.message().unwrap().to_owned())
}

#[tokio::test]
async fn converse_answers_a_sample_with_usage() {
    let twin = twin();
    let output = ask(&twin.twin, REVERSE).await.unwrap();
    let text = text(&output);
    assert!(text.contains("**reverse_string.py**\n\n```python\n"), "{text}");
    assert!(text.contains("def reverse_string("));
    assert_eq!(output.stop_reason(), &StopReason::EndTurn);
    let usage = output.usage().unwrap();
    assert_eq!(u64::try_from(usage.output_tokens()).unwrap(), estimate_tokens(&text));
    assert!(usage.output_tokens() < 500);
    assert_eq!(usage.input_tokens(), 12);
    assert_eq!(usage.total_tokens(), usage.input_tokens() + usage.output_tokens());
    assert_eq!((usage.cache_read_input_tokens(), usage.cache_write_input_tokens()), (Some(0), Some(0)));
}

#[tokio::test]
async fn converse_stream_sends_the_same_text_in_the_services_order() {
    let twin = twin();
    let whole = ask(&twin.twin, REVERSE).await.unwrap();
    let client = twin.twin.bedrock_client();
    let mut output = client.converse_stream().model_id(SONNET).messages(user(REVERSE)).send().await.unwrap();
    let (mut streamed, mut order, mut usage) = (String::new(), Vec::new(), None);
    while let Some(event) = output.stream.recv().await.unwrap() {
        let name = match event {
            ConverseStreamOutput::MessageStart(_) => "start",
            ConverseStreamOutput::ContentBlockDelta(delta) => {
                let Some(ContentBlockDelta::Text(text)) = delta.delta else { panic!("not text") };
                streamed.push_str(&text);
                "delta"
            }
            ConverseStreamOutput::ContentBlockStop(_) => "block stop",
            ConverseStreamOutput::MessageStop(stop) => {
                assert_eq!(stop.stop_reason, StopReason::EndTurn);
                "stop"
            }
            ConverseStreamOutput::Metadata(metadata) => {
                usage = metadata.usage;
                "metadata"
            }
            other => panic!("{other:?}"),
        };
        if order.last() != Some(&name) {
            order.push(name);
        }
    }
    assert_eq!(order, ["start", "delta", "block stop", "stop", "metadata"]);
    assert_eq!(streamed, text(&whole));
    assert_eq!(usage, whole.usage().cloned());
}

#[tokio::test]
async fn an_answer_longer_than_max_tokens_is_cut_there() {
    let twin = twin();
    let client = twin.twin.bedrock_client();
    let config = InferenceConfiguration::builder().max_tokens(20).build();
    let request = client.converse().model_id(SONNET).messages(user(REVERSE)).inference_config(config);
    let output = request.send().await.unwrap();
    assert_eq!(output.stop_reason(), &StopReason::MaxTokens);
    assert_eq!(output.usage().unwrap().output_tokens(), 20);
    assert_eq!(text(&output).chars().count(), 80);
}

#[tokio::test]
async fn a_task_in_a_longer_prompt_is_found_and_answered_between_sentinels() {
    let twin = twin();
    let prompt = format!(
        "Answer with files.\n\n<task>\n{REVERSE}\n</task>\n\nWrite each file as\n\
         === file 0a1b2c3d: PATH ===\n(content)\n=== end 0a1b2c3d: PATH ===\n"
    );
    let text = text(&ask(&twin.twin, &prompt).await.unwrap());
    assert!(
        text.contains("\n=== file 0a1b2c3d: reverse_string.py ===\n\"\"\"Reversing strings.\"\"\"\n"),
        "{text}"
    );
    assert!(text.ends_with("\n=== end 0a1b2c3d: reverse_string.py ===\n"), "{text}");
    assert!(!text.contains("```"));
}

#[tokio::test]
async fn an_unknown_prompt_names_the_nearest_sample_and_the_ways_to_a_model() {
    let twin = twin();
    let (status, code, message) =
        refusal(ask(&twin.twin, "Write a Python function to reverse a list.").await);
    assert_eq!((status, code.as_str()), (400, "ValidationException"));
    assert!(message.contains(REVERSE), "{message}");
    for way in ["AWS credentials", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"] {
        assert!(message.contains(way), "{message}");
    }
}

#[tokio::test]
async fn a_refactoring_is_answered_for_its_own_file_only() {
    let twin = twin();
    let prompt =
        "Refactor shipping.py: replace the nested ifs by early returns, without changing what it does.";
    let (_, code, message) = refusal(ask(&twin.twin, prompt).await);
    assert_eq!(code, "ValidationException");
    assert!(message.contains("def shipping_cost("), "{message}");
    let with_file = format!("{prompt}\n\n```python\ndef shipping_cost(order):\n    ...\n```\n");
    assert!(text(&ask(&twin.twin, &with_file).await.unwrap()).contains("ABROAD_CENTS"));
}

async fn with_config(
    model: &str,
    config: InferenceConfiguration,
) -> Result<ConverseOutput, SdkError<ConverseError>> {
    let twin = twin();
    let client = twin.twin.bedrock_client();
    client.converse().model_id(model).messages(user(REVERSE)).inference_config(config).send().await
}

#[tokio::test]
async fn temperature_is_refused_by_models_that_do_not_take_it() {
    let config = || InferenceConfiguration::builder().temperature(0.2).build();
    for model in [
        "us.anthropic.claude-opus-4-7",
        SONNET,
        "global.anthropic.claude-haiku-5-5",
        "us.anthropic.claude-opus-4-8",
    ] {
        let (status, code, message) = refusal(with_config(model, config()).await);
        assert_eq!((status, code.as_str()), (400, "ValidationException"), "{model}");
        assert!(message.contains("temperature"), "{message}");
    }
    for model in ["us.anthropic.claude-sonnet-4-6", "us.anthropic.claude-haiku-4-5-20251001-v1:0"] {
        with_config(model, config()).await.unwrap();
    }
    let both = InferenceConfiguration::builder().temperature(0.2).top_p(0.9).build();
    assert_eq!(refusal(with_config("us.anthropic.claude-sonnet-4-6", both).await).0, 400);
}

#[tokio::test]
async fn a_prefilled_answer_is_refused_by_newer_models() {
    let twin = twin();
    let client = twin.twin.bedrock_client();
    let send = |model: &str| {
        let request = client.converse().model_id(model).messages(user(REVERSE));
        request.messages(message(ConversationRole::Assistant, "```python")).send()
    };
    assert_eq!(refusal(send("us.anthropic.claude-sonnet-4-6").await).0, 400);
    send("us.anthropic.claude-haiku-4-5-20251001-v1:0").await.unwrap();
}

#[tokio::test]
async fn a_model_past_its_end_of_life_is_not_found() {
    let config = InferenceConfiguration::builder().build();
    let (status, code, message) =
        refusal(with_config("anthropic.claude-3-5-sonnet-20241022-v2:0", config).await);
    assert_eq!((status, code.as_str()), (404, "ResourceNotFoundException"));
    assert_eq!(message, "This model version has reached the end of its life.");
}

#[tokio::test]
async fn an_unknown_model_is_refused_and_an_arn_is_not() {
    let config = || InferenceConfiguration::builder().build();
    assert_eq!(refusal(with_config("no.such-model", config()).await).0, 400);
    let arn = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3";
    with_config(arn, config()).await.unwrap();
}

#[tokio::test]
async fn every_sample_is_found_by_its_own_prompt() {
    let twin = twin();
    let samples = Samples::built_in();
    assert!(samples.prompts().len() >= 10);
    for sample in samples.iter() {
        let given = sample.given.join("\n");
        let output = ask(&twin.twin, &format!("{}\n{given}", sample.prompt)).await.unwrap();
        // Whoever cannot ask for the repair has it at once.
        if sample.shows.as_deref().is_some_and(|shows| shows.contains("repaired")) {
            assert!(!text(&output).contains(&sample.files[0].content), "{}", sample.prompt);
            continue;
        }
        for file in &sample.files {
            assert!(text(&output).contains(&file.content), "{}", file.path);
        }
    }
}

/// The sample with the most texts that the message holds answers; one whose texts are not there never does.
#[tokio::test]
async fn a_directory_of_sample_answers_tells_a_first_answer_from_its_repair() {
    let place = tempfile::TempDir::new().unwrap();
    let sample = |name: &str, head: &str| {
        let text =
            format!("prompt: Add two numbers.\n{head}\nA sentence.\n\n````python add.py\n{name} = 1\n````\n");
        std::fs::write(place.path().join(format!("{name}.md")), text).unwrap();
    };
    sample("first", "given: in Python\n");
    sample("mended", "given: in Python\ngiven: these checks failed\n");
    let twin = claude_code_aws::local::answers_of(place.path()).unwrap();
    let asked = |message: &'static str| ask(&twin, message);
    assert!(text(&asked("Add two numbers. Write it in Python").await.unwrap()).contains("first = 1"));
    let repair = "Add two numbers. Write it in Python; these checks failed: x";
    assert!(text(&asked(repair).await.unwrap()).contains("mended = 1"));
    assert!(asked("Add two numbers. Write it in Rust").await.is_err());
    assert!(ask(&twin, REVERSE).await.is_ok(), "the samples of the crate follow");
    std::fs::write(place.path().join("other.md"), "# A heading\n").unwrap();
    let told = claude_code_aws::local::answers_of(place.path()).unwrap_err().message().to_owned();
    assert!(told.contains("other.md is no sample answer"), "{told}");
}

/// What the README tells people to type, it must be possible to type.
#[tokio::test]
async fn the_prompts_of_the_readme_have_an_answer() {
    let readme = include_str!("../../../README.md");
    let shipping = include_str!("../../../examples/shipping.py");
    let prompts = [
        (REVERSE.to_owned(), REVERSE),
        ("a queue with a timeout".to_owned(), "a queue with a timeout"),
        (
            format!("replace the nested ifs by early returns\n{shipping}"),
            "replace the nested ifs by early returns",
        ),
    ];
    for (message, prompt) in prompts {
        assert!(readme.contains(&format!("\"{prompt}\"")), "{prompt} is not in the README");
        ask(&twin().twin, &message).await.unwrap();
    }
}

#[tokio::test]
async fn questions_are_kept_for_assertions_and_show_no_text() {
    let twin = twin();
    ask(&twin.twin, REVERSE).await.unwrap();
    assert_eq!(code(ask(&twin.twin, "something secret").await), "ValidationException");
    let sent = twin.twin.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!((sent[0].model.as_str(), sent[0].last_user_text()), (SONNET, REVERSE));
    assert_eq!(sent[1].messages[0].role, Role::User);
    assert_eq!(sent[1].max_tokens, None);
    assert!(!format!("{sent:?}").contains("secret"));
}
