//! POST /conversation: start, seven messages, generate.

use crate::service_creator::{Conversation, Creator, STEPS, ServiceData, TOTAL_STEPS};
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::response::IntoResponse;
use claude_code_core::{Error, ErrorKind};
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::service_events;
use crate::http::app::App;
use crate::http::auth::credentials::Caller;
use crate::http::request::conversation_body::{ConversationBody, ServiceBody};
use crate::http::request::extract::{Json, known_form};
use crate::http::request::generate_body::{Asks, Mode};
use crate::http::response::idempotent::{self, Answer};
use crate::http::response::problem::Problem;
use crate::http::response::sse;

/// One route, three actions. An Idempotency-Key covers the first two; the third needs none, for the conversation is
/// its key: the same description is written once, and its links are fresh each time.
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
            let start = async move { Ok(Answer::ok(view(&creator.start().await?))) };
            idempotent::whole(&app, &caller, &asks, &hash, start).await
        }
        ConversationBody::Message { conversation_id, message, step } => {
            let (id, step) = (known_form(&conversation_id)?.to_owned(), step.map(|step| step as usize));
            // On the heap: the sequence of a generation is in this future.
            let said = Box::pin(async move {
                let conversation = creator.message(&id, step, &message).await?;
                Ok(Answer::ok(view(&conversation)))
            });
            idempotent::whole(&app, &caller, &asks, &hash, said).await
        }
        ConversationBody::Generate { conversation_id, service_data } => {
            generate(app, creator, asks, known_form(&conversation_id)?, service_data).await
        }
    }
}

async fn generate(
    app: App,
    creator: Creator,
    asks: Asks,
    id: &str,
    given: Option<ServiceBody>,
) -> Result<Response<Body>, Problem> {
    let writing = creator.write(id, given.map(ServiceData::from), Some(asks.within)).await?;
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
