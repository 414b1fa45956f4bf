//! What each model refuses, in both styles of request.

use serde_json::{Map, Value, json};

use crate::bedrock::REVERSE;
use crate::support::{send, twin, value};

/// A parameter, as Anthropic's body has it.
type Parameter = (&'static str, Value);

fn effort(level: &str) -> Parameter {
    ("output_config", json!({ "effort": level }))
}

fn thinking(kind: &str) -> Parameter {
    ("thinking", json!({ "type": kind }))
}

fn budget(tokens: u64) -> Parameter {
    ("thinking", json!({ "type": "enabled", "budget_tokens": tokens }))
}

fn tool(choice: &str) -> Parameter {
    ("tool_choice", json!({ "type": choice, "name": "f" }))
}

/// Model, parameters, and what the refusal names; an empty name: it is accepted.
fn table() -> Vec<(&'static str, Vec<Parameter>, &'static str)> {
    let sonnet = "global.anthropic.claude-sonnet-5-5";
    let haiku = "global.anthropic.claude-haiku-5-5";
    let opus = "global.anthropic.claude-opus-5-5";
    let opus5 = "us.anthropic.claude-opus-5";
    let sonnet46 = "us.anthropic.claude-sonnet-4-6";
    let opus45 = "us.anthropic.claude-opus-4-5-20251101-v1:0";
    let haiku45 = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
    vec![
        (sonnet, vec![], ""),
        (sonnet, vec![("temperature", json!(0.2))], "temperature"),
        (sonnet, vec![("top_p", json!(0.5))], "top_p"),
        (sonnet, vec![("top_k", json!(40))], "top_k"),
        (sonnet, vec![("temperature", json!(1.0))], ""),
        (sonnet46, vec![("temperature", json!(0.2))], ""),
        (sonnet46, vec![("temperature", json!(1.5))], "temperature"),
        (sonnet46, vec![("temperature", json!(0.2)), ("top_p", json!(0.9))], "both"),
        (sonnet, vec![budget(2_000)], "thinking"),
        (sonnet46, vec![budget(2_000)], ""),
        (sonnet46, vec![budget(500)], "budget_tokens"),
        (sonnet46, vec![budget(9_000)], "max_tokens"),
        (sonnet, vec![thinking("disabled")], "thinking"),
        (opus, vec![thinking("disabled")], "thinking"),
        (haiku, vec![thinking("disabled")], ""),
        (haiku, vec![thinking("disabled"), effort("max")], "effort"),
        (opus5, vec![thinking("disabled"), effort("high")], ""),
        (sonnet, vec![thinking("between_tools")], ""),
        (sonnet, vec![thinking("between_tools"), effort("xhigh")], "effort"),
        (haiku45, vec![thinking("disabled")], ""),
        (haiku45, vec![thinking("adaptive")], "thinking"),
        (sonnet, vec![thinking("sometimes")], "thinking"),
        (sonnet, vec![effort("xhigh")], ""),
        (sonnet46, vec![effort("xhigh")], "effort"),
        (opus45, vec![effort("high")], ""),
        (opus45, vec![effort("max")], "effort"),
        (haiku45, vec![effort("low")], "effort"),
        (sonnet, vec![tool("any")], "tool_choice"),
        (sonnet, vec![tool("auto")], ""),
        // The model takes it, and the sample answer calls none.
        (opus5, vec![tool("tool")], "calls none"),
        (sonnet46, vec![tool("tool")], "calls none"),
        (sonnet46, vec![tool("tool"), budget(2_000)], "tool_choice"),
        (haiku45, vec![("max_tokens", json!(64_001))], "maximum tokens"),
        (sonnet, vec![("max_tokens", json!(128_000))], ""),
    ]
}

/// The same parameters as Converse has them.
fn converse(parameters: &[Parameter]) -> Value {
    let mut config = Map::from_iter([("maxTokens".to_owned(), json!(4_000))]);
    let mut more = Map::new();
    let mut body = json!({ "messages": [{ "role": "user", "content": [{ "text": REVERSE }] }] });
    for (name, value) in parameters {
        match *name {
            "max_tokens" => drop(config.insert("maxTokens".to_owned(), value.clone())),
            "temperature" => drop(config.insert("temperature".to_owned(), value.clone())),
            "top_p" => drop(config.insert("topP".to_owned(), value.clone())),
            "output_config" => body["outputConfig"] = value.clone(),
            "tool_choice" => {
                let kind = value["type"].as_str().unwrap().to_owned();
                body["toolConfig"] = json!({ "tools": [], "toolChoice": { kind: {} } });
            }
            _ => drop(more.insert((*name).to_owned(), value.clone())),
        }
    }
    body["inferenceConfig"] = config.into();
    body["additionalModelRequestFields"] = more.into();
    body
}

fn anthropic(parameters: &[Parameter]) -> Value {
    let mut body = json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 4_000,
        "messages": [{ "role": "user", "content": REVERSE }],
    });
    for (name, value) in parameters {
        body[*name] = value.clone();
    }
    body
}

#[tokio::test]
async fn each_model_refuses_what_its_card_says_in_both_styles() {
    let twin = twin();
    for (model, parameters, named) in table() {
        let cases = [("converse", converse(&parameters)), ("invoke", anthropic(&parameters))];
        for (operation, body) in cases {
            let path = format!("/model/{model}/{operation}");
            let response = send(&twin.twin, "POST", &path, &body).await;
            let said = value(&response)["message"].as_str().unwrap_or_default().to_owned();
            let expected = if named.is_empty() { 200 } else { 400 };
            assert_eq!(response.status(), expected, "{operation} {model} {parameters:?}: {said}");
            assert!(said.contains(named), "{operation} {model} {parameters:?}: {said}");
        }
    }
}

async fn asked(model: &str) -> (u16, String, String) {
    let twin = twin();
    let path = format!("/model/{}/converse", model.replace('/', "%2F"));
    let response = send(&twin.twin, "POST", &path, &converse(&[])).await;
    let kind = response.headers().get("x-amzn-errortype").map(|kind| kind.to_str().unwrap().to_owned());
    let kind = kind.unwrap_or_default().split(':').next().unwrap().to_owned();
    (response.status().as_u16(), kind, value(&response)["message"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn an_id_is_refused_in_the_services_words() {
    let arn = "arn:aws:bedrock:us-east-1:000000000000:inference-profile/us.anthropic.claude-sonnet-5-5";
    let invalid = "The provided model identifier is invalid.";
    let table = [
        ("us.anthropic.claude-sonnet-5-5", 200, ""),
        (arn, 200, ""),
        (
            "anthropic.claude-sonnet-5-5",
            400,
            "Invocation of model ID anthropic.claude-sonnet-5-5 with on-demand throughput isn’t supported. Retry \
             your request with the ID or ARN of an inference profile that contains this model.",
        ),
        (
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-5-5",
            400,
            "on-demand throughput",
        ),
        ("in.anthropic.claude-sonnet-5-5", 400, invalid),
        ("us.anthropic.claude-haiku-4-5", 400, invalid),
        ("claude-sonnet-5-5", 400, invalid),
        ("us.anthropic.claude-sonnet-9", 400, invalid),
        ("amazon.nova-pro-v1:0", 400, invalid),
        (
            "us.anthropic.claude-sonnet-4-20250514-v1:0",
            404,
            "This model version has reached the end of its life.",
        ),
        (
            "anthropic.claude-3-5-sonnet-20241022-v2:0",
            404,
            "This model version has reached the end of its life.",
        ),
        (
            "us.anthropic.claude-mythos-5-2",
            403,
            "You don't have access to the model with the specified model ID.",
        ),
        (
            "us.anthropic.claude-fable-5-2",
            400,
            "data retention mode 'default' is not available for this model",
        ),
    ];
    for (model, status, message) in table {
        let (got, kind, said) = asked(model).await;
        assert_eq!(got, status, "{model}: {said}");
        assert!(said.contains(message), "{model}: {said}");
        let expected = match status {
            403 => "AccessDeniedException",
            404 => "ResourceNotFoundException",
            400 => "ValidationException",
            _ => "",
        };
        assert_eq!(kind, expected, "{model}");
    }
}

#[tokio::test]
async fn a_prompt_beyond_the_models_window_is_too_long() {
    let twin = twin();
    let mut body = converse(&[]);
    body["messages"][0]["content"][0]["text"] = json!("word ".repeat(170_000));
    let path = |model: &str| format!("/model/{model}/converse");
    let small = path("us.anthropic.claude-haiku-4-5-20251001-v1:0");
    let refused = send(&twin.twin, "POST", &small, &body).await;
    assert_eq!(value(&refused)["message"], "Input is too long for requested model.");
    let large = path("us.anthropic.claude-haiku-5-5");
    let said = value(&send(&twin.twin, "POST", &large, &body).await);
    assert!(said["message"].as_str().unwrap().contains("no sample answer"), "it passed: {said}");
}
