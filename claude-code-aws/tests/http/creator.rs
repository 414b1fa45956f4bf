//! The service creator: seven answers, six files, and what happens when it is cut off.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use claude_code_aws::http::Settings;
use claude_code_aws::local::Samples;
use claude_code_aws::service_creator::{FILES, STEPS};
use claude_code_core::testing::{Script, ScriptedProvider};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::routes::unzip;
use super::support::{Answer, Api, get, post, scripted};

async fn say(api: &Api, body: Value) -> Answer {
    api.post("/conversation", body).await
}

/// A conversation whose seven questions are answered with the examples.
async fn answered(api: &Api) -> (String, Value) {
    let mut at = say(api, json!({ "action": "start" })).await.json();
    let id = at["conversation_id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&at["step"], &at["total_steps"], &at["question"]),
        (&json!(1), &json!(7), &json!(STEPS[0].question))
    );
    for (n, step) in STEPS.iter().enumerate() {
        assert_eq!((&at["question"], &at["done"]), (&json!(step.question), &json!(false)));
        let said =
            json!({ "action": "message", "conversation_id": id, "message": step.example, "step": n + 1 });
        let answer = say(api, said).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        at = answer.json();
    }
    (id, at)
}

#[tokio::test]
async fn seven_answers_become_six_files_that_fit_together() {
    let api = Api::open().await;
    let (id, at) = answered(&api).await;
    assert_eq!((&at["done"], &at["question"]), (&json!(true), &json!(null)));
    assert_eq!(at["service_data"]["features"], json!(["Traffic Filtering"]));
    let answer = say(&api, json!({ "action": "generate", "conversation_id": id })).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let code = answer.json();
    assert_eq!(
        (&code["accepted"], &code["sample"], &code["receipt"]["total_usd"]),
        (&json!(true), &json!(true), &json!("0")),
        "{code:#}"
    );
    assert_eq!(code["diagnostics"], json!([]));
    let names: Vec<&str> =
        code["files"].as_array().unwrap().iter().map(|f| f["path"].as_str().unwrap()).collect();
    assert_eq!(names, FILES);
    for file in code["files"].as_array().unwrap() {
        let path = file["url"].as_str().unwrap().strip_prefix("http://localhost").unwrap().to_owned();
        let content = api.get(&path).await;
        assert_eq!(
            (content.status.as_u16(), content.body.len()),
            (200, file["size"].as_u64().unwrap() as usize)
        );
    }
    let place = format!(
        "/services/{}/code/{}",
        code["service_id"].as_str().unwrap(),
        code["code_id"].as_str().unwrap()
    );
    let fresh = api.get(&place).await.json();
    assert_eq!(fresh["files"][0]["sha256"], code["files"][0]["sha256"]);
    assert_eq!(unzip(&api.get(&format!("{place}/zip")).await.body).len(), 6);
    let sent = api.twin.sent().len();
    let again = say(&api, json!({ "action": "generate", "conversation_id": id })).await.json();
    assert_eq!(
        (&again["code_id"], api.twin.sent().len()),
        (&code["code_id"], sent),
        "what is written is not paid again"
    );
}

/// Table and bucket as the contract has them, read with the plain SDK.
#[tokio::test]
async fn rows_and_objects_are_where_the_contract_says() {
    let api = Api::open().await;
    let (id, _) = answered(&api).await;
    let code = say(&api, json!({ "action": "generate", "conversation_id": id })).await.json();
    let (service, code) = (code["service_id"].as_str().unwrap(), code["code_id"].as_str().unwrap());
    for (pk, sk) in [
        (format!("CONVERSATION#{id}"), "DATA".to_owned()),
        (format!("SERVICE#{service}"), "METADATA".to_owned()),
        (format!("SERVICE#{service}"), format!("CODE#{code}")),
    ] {
        let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
        let got = api.twin.dynamodb_client().get_item().table_name("CloudServiceCreator");
        let got = got.key("pk", text(&pk)).key("sk", text(&sk)).send().await.unwrap();
        assert!(got.item.is_some(), "{pk} {sk}");
    }
    let listed =
        api.twin.s3_client().list_objects_v2().bucket("cloudservicecreator-code").send().await.unwrap();
    let mut keys: Vec<String> =
        listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect();
    let mut expected: Vec<String> = FILES.iter().map(|name| format!("{service}/{code}/{name}")).collect();
    keys.sort();
    expected.sort();
    assert_eq!(keys, expected);
}

#[tokio::test]
async fn a_stale_or_wrong_step_is_409_naming_the_expected_one() {
    let api = Api::open().await;
    let id = say(&api, json!({ "action": "start" })).await.json()["conversation_id"].clone();
    let wrong =
        say(&api, json!({ "action": "message", "conversation_id": id, "message": "x", "step": 3 })).await;
    assert_eq!(wrong.status, 409);
    assert!(wrong.json()["detail"].as_str().unwrap().contains("step 1"));
    assert_eq!(wrong.header("retry-after"), "", "it will not go better later");
    let early = say(&api, json!({ "action": "generate", "conversation_id": id })).await;
    assert_eq!(early.status, 409);
    let two = (0..2)
        .map(|_| say(&api, json!({ "action": "message", "conversation_id": id, "message": "x", "step": 1 })));
    let mut statuses: Vec<u16> =
        futures_util::future::join_all(two).await.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "one of two at once");
    let empty = say(&api, json!({ "action": "message", "conversation_id": id, "message": " " })).await;
    assert_eq!((empty.status.as_u16(), empty.json()["field"].as_str()), (422, Some("message")));
    let (id, _) = answered(&api).await;
    let more = say(&api, json!({ "action": "message", "conversation_id": id, "message": "x" })).await;
    assert_eq!(more.status, 409);
}

/// However the bytes are spread, a description never grows beyond what its row may hold.
#[tokio::test]
async fn a_description_that_is_too_long_in_all_is_422_by_the_name_of_its_field() {
    let api = Api::open().await;
    let id = say(&api, json!({ "action": "start" })).await.json()["conversation_id"].clone();
    let generate = |data: Value| json!({ "action": "generate", "conversation_id": id, "service_data": data });
    let page = "é".repeat(4096);
    let long = vec![page.as_str(); 50];
    let wide = json!({ "service_type": "a", "features": long, "api_docs": long });
    let answer = say(&api, generate(wide)).await;
    assert_eq!((answer.status.as_u16(), answer.json()["field"].as_str()), (422, Some("service_data")));
    for data in [
        json!({ "service_type": "é".repeat(4097) }),
        json!({ "service_type": "a", "features": vec!["b"; 51] }),
    ] {
        assert_eq!(say(&api, generate(data)).await.json()["field"], "service_data");
    }
    let fits = say(&api, generate(json!({ "service_type": page, "intent": page }))).await;
    assert_eq!(fits.json()["kind"], "no_sample", "it was sent: {}", fits.text());
}

#[tokio::test]
async fn answers_count_in_characters_and_together_in_bytes() {
    let api = Api::open().await;
    let id = say(&api, json!({ "action": "start" })).await.json()["conversation_id"].clone();
    let mut said = Vec::new();
    for message in [
        "é".repeat(4097),
        "🔥".repeat(4096),
        "🔥".repeat(4096),
        "🔥".repeat(4096),
        "🔥".repeat(4096),
        "a".into(),
    ] {
        let answer =
            say(&api, json!({ "action": "message", "conversation_id": id, "message": message })).await;
        assert!(answer.status == 200 || answer.json()["field"] == "message", "{}", answer.text());
        said.push(answer.status.as_u16());
    }
    assert_eq!(said, [422, 200, 200, 200, 200, 422]);
}

#[tokio::test]
async fn offline_another_service_is_refused_and_the_sample_answers_are_named() {
    let api = Api::open().await;
    let id = say(&api, json!({ "action": "start" })).await.json()["conversation_id"].clone();
    let data = json!({ "service_type": "load balancer", "vendor": "F5", "features": ["TLS"] });
    let answer =
        say(&api, json!({ "action": "generate", "conversation_id": id, "service_data": data })).await;
    assert_eq!((answer.status.as_u16(), answer.json()["kind"].as_str()), (422, Some("no_sample")));
    for step in STEPS {
        assert!(answer.json()["detail"].as_str().unwrap().contains(step.example));
    }
    let unknown = json!({ "action": "generate", "conversation_id": id, "service_data": { "x": 1 } });
    assert_eq!(say(&api, unknown).await.status, 422);
}

#[tokio::test(start_paused = true)]
async fn questions_fit_the_answers_and_fall_back_to_fixed_words() {
    let good = Script::answer("```text question.txt\nWhich tenants will use the firewall?\n```\n");
    let bad = Script::answer("```text question.txt\nTell me.\nAnd more.\n```\n");
    let provider = ScriptedProvider::new([good, bad, Script::default().hang()]);
    let router = scripted(&provider);
    let id =
        post(&router, "/conversation", &[], json!({ "action": "start" })).await.json()["conversation_id"]
            .clone();
    let mut questions = Vec::new();
    for _ in 0..3 {
        let said = json!({ "action": "message", "conversation_id": id, "message": "vFirewall" });
        questions.push(post(&router, "/conversation", &[], said).await.json()["question"].clone());
    }
    assert_eq!(
        questions,
        [json!("Which tenants will use the firewall?"), json!(STEPS[2].question), json!(STEPS[3].question)]
    );
}

/// The six files of a service that is sound, as a model would write them.
fn golden() -> Vec<(&'static str, &'static str)> {
    macro_rules! file {
        ($name:literal) => {
            ($name, include_str!(concat!("../../../claude-code-core/tests/golden/service/", $name)))
        };
    }
    vec![
        file!("backend_service.py"),
        file!("api_routes.py"),
        file!("database_schema.sql"),
        file!("config.yaml"),
        file!("requirements.txt"),
        file!("README.md"),
    ]
}

fn fenced(files: &[(&str, &str)]) -> String {
    files.iter().map(|(name, content)| format!("````text {name}\n{content}````\n\n")).collect()
}

/// Killed after each of the six files: the next run asks for what is missing only, and nothing is paid twice.
#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_goes_on_at_the_file_that_it_had_reached() {
    let files = golden();
    for reached in 1..=6 {
        let cut = Script::text(&fenced(&files[..reached])).hang();
        let rest = Script::answer(&fenced(&files[reached..]));
        let provider = ScriptedProvider::new([cut, rest]);
        let router = scripted(&provider);
        let id =
            post(&router, "/conversation", &[], json!({ "action": "start" })).await.json()["conversation_id"]
                .clone();
        let generate = json!({ "action": "generate", "conversation_id": id, "service_data": { "service_type": "orders" } });
        kill_after(&router, &generate, reached).await;
        let busy = provider.open();
        assert_eq!(busy, 0, "the request is closed");
        let answer = post(&router, "/conversation", &[], generate).await;
        assert_eq!(answer.status, 200, "after {reached}: {}", answer.text());
        let code = answer.json();
        assert_eq!(code["accepted"], true, "{:#}", code["diagnostics"]);
        assert_eq!(code["files"].as_array().unwrap().len(), 6);
        let calls = provider.calls();
        assert_eq!(calls.len(), if reached == 6 { 1 } else { 2 });
        if let Some(second) = calls.get(1) {
            let prompt = &second.messages[0].blocks[0].text;
            let task = prompt.split("</task>").next().unwrap();
            let wanted = task.rsplit("Write only these").next().unwrap();
            for (n, name) in FILES.iter().enumerate() {
                assert_eq!(wanted.contains(name), n >= reached, "after {reached}: {name}");
            }
        }
        let place = format!(
            "/services/{}/code/{}/zip",
            code["service_id"].as_str().unwrap(),
            code["code_id"].as_str().unwrap()
        );
        let stored = unzip(&get(&router, &place, &[]).await.body);
        for (name, content) in &files {
            assert_eq!(&stored[*name], content);
        }
    }
}

/// What was kept broken is asked for again, shown with what is wrong, and its new version is what counts.
#[tokio::test(start_paused = true)]
async fn a_kept_file_that_is_broken_is_repaired_by_the_run_that_goes_on() {
    let files = golden();
    let broken = files[1].1.replacen("def ", "def (", 1);
    let mut first = files[..5].to_vec();
    first[1].1 = &broken;
    let cut = Script::text(&fenced(&first)).hang();
    let rest = Script::answer(&fenced(&files[5..]));
    let mended = Script::answer(&fenced(&files[1..2]));
    let provider = ScriptedProvider::new([cut, rest, mended]);
    let router = scripted(&provider);
    let start = post(&router, "/conversation", &[], json!({ "action": "start" })).await.json();
    let data = json!({ "service_type": "orders" });
    let generate =
        json!({ "action": "generate", "conversation_id": start["conversation_id"], "service_data": data });
    kill_after(&router, &generate, 5).await;
    let code = post(&router, "/conversation", &[], generate).await.json();
    assert_eq!(code["accepted"], true, "{:#}", code["diagnostics"]);
    let calls = provider.calls();
    assert_eq!(calls.len(), 3, "one repair");
    let repair: String = calls[2].messages[0].blocks.iter().map(|block| &*block.text).collect();
    let shown = repair.rsplit_once("Do not write the other files.").unwrap().1;
    assert!(shown.contains(&broken) && !shown.contains(files[0].1), "{shown}");
    let part = |name: &str| code[name].as_str().unwrap().to_owned();
    let place = format!("/services/{}/code/{}/zip", part("service_id"), part("code_id"));
    let stored = unzip(&get(&router, &place, &[]).await.body);
    for (name, content) in &files {
        assert_eq!(&stored[*name], content);
    }
}

async fn kill_after(router: &axum::Router, generate: &Value, files: usize) {
    let request = Request::post("/conversation")
        .header("content-type", "application/json")
        .header("accept", "text/event-stream")
        .body(Body::from(generate.to_string()))
        .unwrap();
    let mut body = router.clone().oneshot(request).await.unwrap().into_body();
    let mut seen = String::new();
    while seen.matches("event: file.finished").count() < files {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        seen.push_str(std::str::from_utf8(&frame).unwrap());
    }
    drop(body);
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
}

#[tokio::test(start_paused = true)]
async fn while_one_writes_another_is_told_to_wait() {
    let provider = ScriptedProvider::new([Script::text(&fenced(&golden()[..1])).hang()]);
    let router = scripted(&provider);
    let id =
        post(&router, "/conversation", &[], json!({ "action": "start" })).await.json()["conversation_id"]
            .clone();
    let generate =
        json!({ "action": "generate", "conversation_id": id, "service_data": { "service_type": "orders" } });
    let (other, own) = (router.clone(), generate.clone());
    let first = tokio::spawn(async move { post(&other, "/conversation", &[], own).await });
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    let second = post(&router, "/conversation", &[], generate).await;
    assert_eq!(second.status, 409, "the writer's lease is renewed while it lives");
    assert!(second.header("retry-after").parse::<u64>().is_ok());
    first.abort();
}

#[tokio::test]
async fn the_stream_shows_each_file_and_ends_with_links() {
    let api = Api::with(Settings::default(), Arc::new(Samples::built_in())).await;
    let (id, _) = answered(&api).await;
    let generate = json!({ "action": "generate", "conversation_id": id });
    let answer = post(&api.router, "/conversation", &[("accept", "text/event-stream")], generate).await;
    let events = answer.events();
    let finished =
        events.iter().filter(|(name, data)| name == "file.finished" && data["complete"] == true).count();
    assert_eq!(finished, 6);
    let (name, data) = events.last().unwrap();
    assert_eq!(name, "finished");
    assert!(data["generation"]["files"][5]["url"].as_str().unwrap().contains("README.md"));
}
