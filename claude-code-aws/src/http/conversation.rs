//! POST /conversation: start, seven messages, generate.

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::response::IntoResponse;
use claude_code_core::service::{Conversation, Creator, STEPS, ServiceData, TOTAL_STEPS};
use claude_code_core::{Error, Kind};
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::app::App;
use super::auth::Caller;
use super::body::{Json, known_form};
use super::creator;
use super::error::Problem;
use super::event;
use super::input::{Asks, ConversationBody, Mode, ServiceBody};
use super::once::Answer;

/// One route, three actions.
pub(super) async fn conversation(
    State(app): State<App>,
    caller: Caller,
    asks: Asks,
    body: Json<ConversationBody>,
) -> Result<Response<Body>, Problem> {
    match body.value {
        ConversationBody::Start {} => start(&app, &caller).await,
        ConversationBody::Message { conversation_id, message, step } => {
            said(&app, &caller, known_form(&conversation_id)?, step, &message).await
        }
        ConversationBody::Generate { conversation_id, service_data } => {
            generate(app, caller, asks, known_form(&conversation_id)?, service_data).await
        }
    }
}

fn creator_of(app: &App, caller: &Caller) -> Creator {
    Creator::new(caller.client.clone(), app.services.clone())
}

async fn start(app: &App, caller: &Caller) -> Result<Response<Body>, Problem> {
    let conversation = creator_of(app, caller).start().await?;
    Ok(Answer::ok(view(&conversation)).into_response())
}

async fn said(
    app: &App,
    caller: &Caller,
    id: &str,
    step: Option<u32>,
    message: &str,
) -> Result<Response<Body>, Problem> {
    let step = step.map(|step| step as usize);
    let conversation = creator_of(app, caller).message(id, step, message).await?;
    Ok(Answer::ok(view(&conversation)).into_response())
}

async fn generate(
    app: App,
    caller: Caller,
    asks: Asks,
    id: &str,
    given: Option<ServiceBody>,
) -> Result<Response<Body>, Problem> {
    let given = given.map(ServiceData::from);
    let writing = creator_of(&app, &caller).write(id, given, Some(asks.within)).await?;
    let mut frames = creator::frames(app, asks.host, writing);
    if asks.mode == Mode::Stream {
        return Ok(event::response(frames));
    }
    while let Some(frame) = frames.next().await {
        if let Some(problem) = frame.problem {
            return Err(*problem);
        }
        if frame.is_last() {
            return Ok(Answer::ok(frame.data["generation"].clone()).into_response());
        }
    }
    Err(Problem::from(Error::new(Kind::Unavailable, "the work broke off: repeat it")))
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
