//! POST /conversation: start, seven messages, generate; edit, rename, refine, estimate. GET and DELETE /conversation/{id}.

use crate::service_creator::{Conversation, Creator, STEPS, ServiceData, Step, TOTAL_STEPS, Writing};
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use claude_code_core::{Error, ErrorKind};
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{estimate, service_events, services};
use crate::http::app::App;
use crate::http::auth::credentials::Caller;
use crate::http::request::conversation_body::ConversationBody;
use crate::http::request::extract::{Id, Json, known_form};
use crate::http::request::headers::{Asks, Mode};
use crate::http::response::idempotent::{self, Answer};
use crate::http::response::problem::Problem;
use crate::http::response::sse;

/// One route, an action each time. An Idempotency-Key covers start and message; the others need none: repeated, they come to
/// the same, and the conversation is the key of its files: the same description or change is written once.
pub(crate) async fn conversation(
    State(app): State<App>,
    caller: Caller,
    asks: Asks,
    body: Json<ConversationBody>,
) -> Result<Response<Body>, Problem> {
    let creator = Creator::new(caller.client.clone(), app.services.clone());
    let hash = format!("conversation/{}", body.sha256);
    match body.value {
        ConversationBody::Start {} => {
            let start = |_| async move { Ok(Answer::ok(view(&creator.start().await?))) };
            idempotent::whole(&app, &caller, &asks, &hash, start).await
        }
        ConversationBody::Message { conversation_id, message, step } => {
            let (id, step) = (known_form(&conversation_id)?.to_owned(), step.map(|step| step as usize));
            // On the heap: the sequence of a generation is in this future.
            let said = |_| {
                Box::pin(async move {
                    let conversation = creator.message(&id, step, &message).await?;
                    Ok(Answer::ok(view(&conversation)))
                })
            };
            idempotent::whole(&app, &caller, &asks, &hash, said).await
        }
        ConversationBody::Edit { conversation_id, step, message } => {
            let conversation = creator.edit(known_form(&conversation_id)?, step as usize, &message).await?;
            Ok(Answer::ok(whole(&creator, &conversation).await?).into_response())
        }
        ConversationBody::Rename { conversation_id, name } => {
            let conversation = creator.rename(known_form(&conversation_id)?, &name).await?;
            Ok(Answer::ok(whole(&creator, &conversation).await?).into_response())
        }
        ConversationBody::Estimate { conversation_id } => {
            let estimate = creator.estimate(known_form(&conversation_id)?).await?;
            Ok(Answer::ok(estimate::view(&app, &estimate)).into_response())
        }
        ConversationBody::Generate { conversation_id, service_data } => {
            let (id, given) = (known_form(&conversation_id)?, service_data.map(ServiceData::from));
            let writing = creator.write(id, given, Some(asks.within)).await?;
            written(app, asks, writing).await
        }
        ConversationBody::Refine { conversation_id, instructions, file } => {
            let id = known_form(&conversation_id)?;
            let writing = creator.refine(id, &instructions, file.as_deref(), Some(asks.within)).await?;
            written(app, asks, writing).await
        }
    }
}

/// GET /conversation/{id}: where it is, what was said, and which files there are.
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Response<Body>, Problem> {
    let creator = Creator::new(caller.client.clone(), app.services.clone());
    let conversation = creator.conversation(&id).await?;
    Ok(Answer::ok(whole(&creator, &conversation).await?).into_response())
}

/// DELETE /conversation/{id}: erases the service with its files.
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Response<Body>, Problem> {
    app.services.erase(&caller.scope, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The conversation with its answers and its newest files.
async fn whole(creator: &Creator, conversation: &Conversation) -> Result<Value, Problem> {
    let newest = creator.newest(conversation).await?;
    let mut body = view(conversation);
    let answer = |(n, step): (usize, &Step)| {
        let (question, answer) = conversation.said(n + 1)?;
        Some(json!({ "step": n + 1, "title": step.title, "question": question, "answer": answer }))
    };
    body["answers"] = STEPS.iter().enumerate().filter_map(answer).collect();
    body["name"] = conversation.name().into();
    let begun = conversation.code.as_ref();
    body["service_id"] = json!(begun.map(|code| &code.service_id));
    body["begun"] =
        begun.is_some_and(|code| Some(&code.code_id) != newest.as_ref().map(|n| &n.code_id)).into();
    body["stale"] = begun.is_some_and(|code| code.data != conversation.data).into();
    let ids: Vec<String> = conversation.codes().into_iter().map(|code| code.code_id).collect();
    let upto = newest.as_ref().and_then(|newest| ids.iter().position(|id| *id == newest.code_id));
    body["codes"] = json!(ids[..upto.map_or(0, |at| at + 1)]);
    body["code"] = newest.map_or(Value::Null, |code| services::view(&code, &[]));
    Ok(body)
}

async fn written(app: App, asks: Asks, writing: Writing) -> Result<Response<Body>, Problem> {
    let mut frames = service_events::frames(app, asks.host, writing);
    if asks.mode == Mode::Stream {
        return Ok(sse::response(frames));
    }
    while let Some(frame) = frames.next().await {
        if let Some(problem) = frame.problem {
            return Err(*problem);
        }
        if frame.is_last() {
            return Ok(Answer::ok(frame.data["generation"].clone()).into_response());
        }
    }
    Err(Problem::from(Error::new(ErrorKind::Unavailable, "the work broke off: repeat it")))
}

fn view(conversation: &Conversation) -> Value {
    let done = conversation.step().is_none();
    let step = conversation.step().unwrap_or(TOTAL_STEPS);
    let mut body = json!({
        "conversation_id": conversation.id,
        "question": conversation.question(),
        "step": step,
        "total_steps": TOTAL_STEPS,
        "title": STEPS[step - 1].title,
        "example": (!done).then_some(STEPS[step - 1].example),
        "done": done,
    });
    if done {
        body["service_data"] = serde_json::to_value(&conversation.data).unwrap_or_default();
    }
    body
}
