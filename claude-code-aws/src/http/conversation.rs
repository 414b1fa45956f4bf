//! POST /conversation: start, seven messages, generate.

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::response::IntoResponse;
use claude_code_core::service::{Conversation, STEPS, ServiceData, TOTAL_STEPS};
use claude_code_core::{Error, Kind, Result};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde_json::{Value, json};

use super::app::App;
use super::auth::Caller;
use super::body::{Json, known_form};
use super::error::Problem;
use super::event::{self, Frame};
use super::input::{Asks, ConversationBody, Mode};
use super::once::{self, Answer};
use super::services;
use crate::creator::{Creator, Run, Written};

/// One route, three actions. An Idempotency-Key covers the first two; the third needs none, for the conversation is
/// its key: the same description is written once, and its links are fresh each time.
pub(super) async fn conversation(
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
            once::whole(&app, &caller, &asks, &hash, start).await
        }
        ConversationBody::Message { conversation_id, message, step } => {
            let id = known_form(&conversation_id)?.to_owned();
            let said = async move {
                Ok(Answer::ok(view(&creator.say(&id, step.map(|step| step as usize), &message).await?)))
            };
            once::whole(&app, &caller, &asks, &hash, Box::pin(said)).await
        }
        ConversationBody::Generate { conversation_id, service_data } => {
            let given = service_data.map(ServiceData::from);
            let run = creator.prepare(known_form(&conversation_id)?, given, Some(asks.within)).await?;
            generate(app, &creator, asks, run).await
        }
    }
}

async fn generate(app: App, creator: &Creator, asks: Asks, run: Run) -> Result<Response<Body>, Problem> {
    let mut frames = frames(app, asks.host, creator.write(run));
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

/// What the creator shows, on its way out: at the end the row with links that are good from now on.
fn frames(app: App, host: String, written: BoxStream<'static, Result<Written>>) -> BoxStream<'static, Frame> {
    let frames = written.then(move |written| {
        let (app, host) = (app.clone(), host.clone());
        async move {
            let code = match written {
                Ok(Written::Event(event)) => return Frame::of(&event),
                Ok(Written::Done(code, _)) => services::view(&app, &code, &host).await,
                Err(error) => Err(error),
            };
            match code {
                Ok(view) => Frame::new("finished", json!({ "generation": view })),
                Err(error) => Frame::error(&Problem::from(error)),
            }
        }
    });
    frames.boxed()
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
