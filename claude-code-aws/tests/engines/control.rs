//! Bedrock's control plane without an SDK between; boto3 reads it in `tests/twin/test_control.py`.

use claude_code_aws::local::Reply;
use claude_code_core::model::catalogue::{Catalogue, Status};
use serde_json::{Value, json};

use crate::support::{send, twin, value};

#[tokio::test]
async fn every_model_of_the_catalogue_is_listed_while_it_is_open() {
    let twin = twin();
    let listed = value(&send(&twin.twin, "GET", "/foundation-models", &Value::Null).await);
    let listed: Vec<&str> =
        listed["modelSummaries"].as_array().unwrap().iter().map(|m| m["modelId"].as_str().unwrap()).collect();
    for card in Catalogue::builtin().models() {
        let open = matches!(card.lifecycle.status, Status::Active | Status::Legacy);
        let here = card.profiles.iter().any(|scope| ["global", "us"].contains(&scope.as_str()));
        assert_eq!(listed.contains(&card.bedrock_id), open && here, "{}", card.bedrock_id);
    }
}

#[tokio::test]
async fn an_operation_is_refused_as_often_as_told() {
    let twin = twin();
    let denied = Reply::Error {
        code: "AccessDeniedException".into(),
        status: 403,
        message: "not authorized to perform: bedrock:GetInferenceProfile".into(),
    };
    twin.twin.refuse_control("GetInferenceProfile", 2, &denied);
    let path = "/inference-profiles/us.anthropic.claude-sonnet-5-5";
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(send(&twin.twin, "GET", path, &Value::Null).await.status().as_u16());
    }
    assert_eq!(statuses, [403, 403, 200]);
    assert_eq!(send(&twin.twin, "GET", "/inference-profiles", &Value::Null).await.status(), 200);
}

#[tokio::test]
async fn an_application_profile_is_billed_and_ruled_as_the_model_behind_it() {
    let twin = twin();
    let arn = "arn:aws:bedrock:us-east-1:000000000000:inference-profile/us.anthropic.claude-sonnet-5-5";
    let wanted = json!({ "inferenceProfileName": "team-one", "modelSource": { "copyFrom": arn } });
    let made = send(&twin.twin, "POST", "/inference-profiles", &wanted).await;
    assert_eq!(made.status(), 201);
    let made = value(&made)["inferenceProfileArn"].as_str().unwrap().to_owned();
    let body = json!({
        "messages": [{ "role": "user", "content": [{ "text": crate::bedrock::REVERSE }] }],
    });
    let path = format!("/model/{}/converse", made.replace('/', "%2F"));
    assert_eq!(send(&twin.twin, "POST", &path, &body).await.status(), 200);
    let other = path.replace("000000000000", "111122223333");
    assert_eq!(send(&twin.twin, "POST", &other, &body).await.status(), 200, "another account's may exist");
    let missing = path.replace("profile%2F", "profile%2Fx");
    assert_eq!(send(&twin.twin, "POST", &missing, &body).await.status(), 400, "this account has none of it");
}
