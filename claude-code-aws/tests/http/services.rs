//! Services as things with an address: listed, reopened, edited, changed, named, erased.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use claude_code_aws::http::Settings;
use claude_code_aws::local::Samples;
use claude_code_aws::service_creator::{FILES, STEPS};
use claude_code_core::testing::{Script, ScriptedProvider};
use serde_json::{Value, json};

use super::support::{Answer, Api, get, post, scripted, send};

async fn say(api: &Api, body: Value) -> Answer {
    api.post("/conversation", body).await
}

/// A conversation with so many of its questions answered with the examples.
async fn answered(api: &Api, steps: usize) -> String {
    let id = say(api, json!({ "action": "start" })).await.json()["conversation_id"].clone();
    for (n, step) in STEPS.iter().take(steps).enumerate() {
        let said =
            json!({ "action": "message", "conversation_id": id, "message": step.example, "step": n + 1 });
        assert_eq!(say(api, said).await.status, 200);
    }
    id.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_service_is_found_again_in_the_list_and_at_its_address() {
    let api = Api::open().await;
    assert_eq!(api.get("/services").await.json(), json!({ "items": [], "next": null }));
    let half = answered(&api, 2).await;
    let whole = answered(&api, 7).await;
    say(&api, json!({ "action": "generate", "conversation_id": whole })).await;
    let list = api.get("/services").await.json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{list:#}");
    assert_eq!((&items[0]["conversation_id"], &items[0]["accepted"]), (&json!(whole), &json!(true)));
    assert_eq!((&items[1]["conversation_id"], &items[1]["step"]), (&json!(half), &json!(3)));
    assert_eq!((&items[0]["name"], &items[0]["total_usd"]), (&json!("vFirewall"), &json!("0")));
    let page = api.get("/services?limit=1").await.json();
    assert_eq!(page["next"], json!(whole), "{page:#}");
    let next = api.get(&format!("/services?limit=1&cursor={whole}")).await.json();
    assert_eq!((&next["items"][0]["conversation_id"], &next["next"]), (&json!(half), &json!(null)));

    let at = api.get(&format!("/conversation/{half}")).await.json();
    assert_eq!((&at["step"], &at["question"]), (&json!(3), &json!(STEPS[2].question)));
    assert_eq!(at["answers"][1]["answer"], json!(STEPS[1].example));
    assert_eq!((&at["code"], &at["begun"], &at["codes"]), (&json!(null), &json!(false), &json!([])));
    let at = api.get(&format!("/conversation/{whole}")).await.json();
    assert_eq!((&at["done"], &at["code"]["accepted"]), (&json!(true), &json!(true)), "{at:#}");
    assert_eq!(at["codes"], json!([at["code"]["code_id"]]));
    let part = |name: &str| at["code"][name].as_str().unwrap().to_owned();
    let place = format!("/services/{}/code/{}", part("service_id"), part("code_id"));
    let files = api.get(&format!("{place}?content=true")).await.json();
    assert!(files["files"][0]["content"].as_str().unwrap().contains("def "), "{files:#}");
}

#[tokio::test]
async fn another_scope_sees_edits_and_erases_none_of_it() {
    let settings = Settings::default().with_tokens(["one".to_owned(), "other".to_owned()]);
    let api = Api::with(settings, Arc::new(Samples::built_in())).await;
    let (one, other) = ([("authorization", "Bearer one")], [("authorization", "Bearer other")]);
    let id = post(&api.router, "/conversation", &one, json!({ "action": "start" })).await.json();
    let id = id["conversation_id"].as_str().unwrap();
    let said = json!({ "action": "message", "conversation_id": id, "message": "vFirewall" });
    assert_eq!(post(&api.router, "/conversation", &one, said).await.status, 200);
    let place = format!("/conversation/{id}");
    assert_eq!(get(&api.router, &place, &other).await.status, 404);
    assert_eq!(get(&api.router, "/services", &other).await.json()["items"], json!([]));
    for action in [
        json!({ "action": "edit", "conversation_id": id, "step": 1, "message": "x" }),
        json!({ "action": "rename", "conversation_id": id, "name": "x" }),
        json!({ "action": "refine", "conversation_id": id, "instructions": "x" }),
        json!({ "action": "estimate", "conversation_id": id }),
    ] {
        assert_eq!(post(&api.router, "/conversation", &other, action.clone()).await.status, 404, "{action}");
    }
    let erase = |who: (&str, &str)| Request::delete(&place).header(who.0, who.1).body(Body::empty()).unwrap();
    assert_eq!(send(&api.router, erase(other[0])).await.status, 404);
    assert_eq!(get(&api.router, &place, &one).await.status, 200);
    assert_eq!(send(&api.router, erase(one[0])).await.status, 204);
    assert_eq!(get(&api.router, &place, &one).await.status, 404);
    assert_eq!(get(&api.router, "/services", &one).await.json()["items"], json!([]));
}

#[tokio::test]
async fn an_erased_service_leaves_no_row_and_no_file() {
    let api = Api::open().await;
    let id = answered(&api, 7).await;
    say(&api, json!({ "action": "generate", "conversation_id": id })).await;
    let erase = Request::delete(format!("/conversation/{id}")).body(Body::empty()).unwrap();
    assert_eq!(send(&api.router, erase).await.status, 204);
    let rows = api.twin.dynamodb_client().scan().table_name("CloudServiceCreator").send().await.unwrap();
    assert_eq!(rows.items().len(), 0, "{:?}", rows.items());
    let bucket = "cloudservicecreator-code";
    let listed = api.twin.s3_client().list_object_versions().bucket(bucket).send().await.unwrap();
    assert_eq!((listed.versions().len(), listed.delete_markers().len()), (0, 0));
}

#[tokio::test]
async fn answers_can_be_edited_before_and_after_the_files_are_written() {
    let api = Api::open().await;
    let id = answered(&api, 3).await;
    let edit = |step: u32, message: &str| json!({ "action": "edit", "conversation_id": id, "step": step, "message": message });
    let early = say(&api, edit(4, "x")).await;
    assert_eq!((early.status.as_u16(), &early.json()["kind"]), (409, &json!("conflict")));
    assert_eq!(say(&api, edit(2, " ")).await.status, 422);
    let at = say(&api, edit(3, "Traffic Filtering, Audit")).await.json();
    assert_eq!((&at["step"], &at["answers"][2]["answer"]), (&json!(4), &json!("Traffic Filtering, Audit")));
    let id = answered(&api, 7).await;
    let edit =
        |message: &str| json!({ "action": "edit", "conversation_id": id, "step": 3, "message": message });
    let code = say(&api, json!({ "action": "generate", "conversation_id": id })).await.json();
    let at = say(&api, edit("Logging")).await.json();
    assert_eq!((&at["stale"], &at["service_data"]["features"]), (&json!(true), &json!(["Logging"])));
    assert_eq!(at["code"]["code_id"], code["code_id"], "what is written stays");
    assert_eq!(say(&api, edit(STEPS[2].example)).await.json()["stale"], json!(false));
}

#[tokio::test(start_paused = true)]
async fn a_change_in_words_makes_a_new_version_and_keeps_the_old_one() {
    let texts = ["value = 1", "value = 2", "CREATE TABLE rules (id integer);", "level: 1", "# none", "first"];
    let six: String =
        FILES.iter().zip(texts).map(|(name, text)| format!("```text {name}\n{text}\n```\n\n")).collect();
    let changed = "```text README.md\nsecond\n```\n\n```text config.yaml\nlevel: 2\n```\n";
    let provider = ScriptedProvider::new([Script::answer(&six), Script::answer(changed)]);
    let router = scripted(&provider);
    let say = |body: Value| post(&router, "/conversation", &[], body);
    let id = say(json!({ "action": "start" })).await.json()["conversation_id"].clone();
    let none = json!({ "action": "refine", "conversation_id": id, "instructions": "shorter" });
    assert_eq!(say(none).await.status, 409, "there is nothing to change yet");
    let data = json!({ "service_type": "vFirewall" });
    let first = say(json!({ "action": "generate", "conversation_id": id, "service_data": data })).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let first = first.json();
    let unknown = json!({ "action": "refine", "conversation_id": id, "instructions": "x", "file": "../x" });
    assert_eq!(say(unknown).await.status, 422);
    let refine =
        json!({ "action": "refine", "conversation_id": id, "instructions": "shorter", "file": FILES[5] });
    let second = say(refine.clone()).await;
    assert_eq!(second.status, 200, "{}", second.text());
    let second = second.json();
    assert_ne!(first["code_id"], second["code_id"]);
    let text = |code: &Value| {
        let (service, code) = (code["service_id"].as_str().unwrap(), code["code_id"].as_str().unwrap());
        let place = format!("/services/{service}/code/{code}?content=true");
        let router = router.clone();
        async move {
            let code = get(&router, &place, &[]).await.json();
            let files = code["files"].as_array().unwrap().clone();
            files.iter().map(|file| file["content"].as_str().unwrap().trim().to_owned()).collect::<Vec<_>>()
        }
    };
    assert_eq!(text(&first).await, texts, "the old version stays");
    let mut expected = texts;
    expected[5] = "second";
    assert_eq!(text(&second).await, expected, "the other files stay, whatever the answer had");
    let sent = provider.calls().len();
    assert_eq!(say(refine).await.json()["code_id"], second["code_id"], "the same change is paid once");
    assert_eq!(provider.calls().len(), sent);
    let at = get(&router, &format!("/conversation/{}", id.as_str().unwrap()), &[]).await.json();
    assert_eq!(at["codes"], json!([first["code_id"], second["code_id"]]));
}

#[tokio::test(start_paused = true)]
async fn an_answer_edited_after_a_change_in_words_makes_the_files_stale() {
    let question = Script::answer("```text question.txt\nWhich one?\n```\n");
    let texts = ["value = 1", "value = 2", "CREATE TABLE rules (id integer);", "level: 1", "# none", "first"];
    let six: String =
        FILES.iter().zip(texts).map(|(name, text)| format!("```text {name}\n{text}\n```\n\n")).collect();
    let changed = Script::answer("```text README.md\nsecond\n```\n");
    let scripts = std::iter::repeat_n(question, 6).chain([Script::answer(&six), changed]);
    let router = scripted(&ScriptedProvider::new(scripts));
    let say = |body: Value| post(&router, "/conversation", &[], body);
    let id = say(json!({ "action": "start" })).await.json()["conversation_id"].clone();
    for step in STEPS {
        let said = json!({ "action": "message", "conversation_id": id, "message": step.example });
        assert_eq!(say(said).await.status, 200);
    }
    for body in [
        json!({ "action": "generate", "conversation_id": id }),
        json!({ "action": "refine", "conversation_id": id, "instructions": "shorter", "file": FILES[5] }),
    ] {
        let code = say(body).await;
        assert_eq!(code.status, 200, "{}", code.text());
    }
    let edit =
        |message: &str| json!({ "action": "edit", "conversation_id": id, "step": 3, "message": message });
    assert_eq!(say(edit("Logging")).await.json()["stale"], json!(true));
    assert_eq!(say(edit(STEPS[2].example)).await.json()["stale"], json!(false));
}

#[tokio::test]
async fn a_message_that_is_repeated_without_a_key_is_taken_once() {
    let api = Api::open().await;
    let id = answered(&api, 1).await;
    let again = json!({ "action": "message", "conversation_id": id, "message": STEPS[0].example, "step": 1 });
    assert_eq!(say(&api, again).await.json()["step"], json!(2), "its first answer was lost on the way");
    let other = json!({ "action": "message", "conversation_id": id, "message": "another", "step": 1 });
    assert_eq!(say(&api, other).await.status, 409);
}

/// A description of a few fields, as first users write it.
#[tokio::test]
async fn a_part_of_the_samples_description_gets_the_sample_offline() {
    let api = Api::open().await;
    let id = say(&api, json!({ "action": "start" })).await.json()["conversation_id"].clone();
    let data = json!({ "service_type": "vFirewall", "vendor": "Cisco", "features": ["Traffic Filtering"] });
    let generate = json!({ "action": "generate", "conversation_id": id, "service_data": data });
    let code = say(&api, generate).await;
    assert_eq!((code.status.as_u16(), &code.json()["accepted"]), (200, &json!(true)), "{}", code.text());
    let other = json!({ "service_type": "vFirewall", "vendor": "Other" });
    let generate = json!({ "action": "generate", "conversation_id": id, "service_data": other });
    assert_eq!(say(&api, generate).await.json()["kind"], "no_sample");
}

#[tokio::test]
async fn names_estimates_and_samples_are_told() {
    let api = Api::open().await;
    let id = answered(&api, 7).await;
    let rename = |name: &str| json!({ "action": "rename", "conversation_id": id, "name": name });
    assert_eq!(say(&api, rename("  My   firewall ")).await.json()["name"], "My firewall");
    assert_eq!(say(&api, rename(&"a".repeat(81))).await.status, 422);
    assert_eq!(api.get("/services").await.json()["items"][0]["name"], "My firewall");
    let estimate = say(&api, json!({ "action": "estimate", "conversation_id": id })).await.json();
    assert_eq!((&estimate["worst_usd"], &estimate["sample"]), (&json!("0"), &json!(true)), "{estimate:#}");
    let estimate = api.post("/estimate", json!({ "prompt": "a queue" })).await.json();
    assert!(estimate["model"].is_string() && estimate["input_tokens"].as_u64() > Some(0), "{estimate:#}");
    assert_eq!(api.twin.sent().len(), 6, "estimates send nothing");
    let samples = api.get("/samples").await.json();
    assert_eq!((&samples["offline"], samples["service"].as_array().map(Vec::len)), (&json!(true), Some(7)));
    assert!(samples["prompts"].as_array().unwrap().len() > 3);
}
