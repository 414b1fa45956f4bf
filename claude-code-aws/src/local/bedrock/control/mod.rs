//! Bedrock's control plane: which models and inference profiles there are; the application profiles and the
//! data-retention mode of the twin's account.
//!
//! The twin serves the models of `Catalogue::builtin()`: it stands for AWS, which does not read a caller's catalogue.

mod account;
pub(super) mod jobs;
mod models;
mod profiles;
mod region;
mod request;

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::request::Parts;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use self::account::Account;
use self::jobs::Jobs;
pub(super) use self::models::is_alive;
pub(super) use self::region::Region;
use self::request::{Operation, Request};
use super::wire;
use crate::local::responder::Reply;
use crate::local::server::body::Body;

/// The control plane of one twin.
#[derive(Debug, Default)]
pub(super) struct Control {
    account: Mutex<Account>,
    jobs: Mutex<Jobs>,
    /// Replies that stand in for the next calls of an operation, in order.
    scripted: Mutex<Vec<(String, Reply)>>,
}

/// What an operation gives: its status and its JSON.
type Answer = Result<(u16, Value), Refusal>;

/// An exception of the service.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    code: &'static str,
    status: u16,
    message: String,
}

impl Refusal {
    fn invalid(message: impl Into<String>) -> Self {
        Refusal { code: "ValidationException", status: 400, message: message.into() }
    }

    fn not_found(message: impl Into<String>) -> Self {
        Refusal { code: "ResourceNotFoundException", status: 404, message: message.into() }
    }

    fn conflict(message: impl Into<String>) -> Self {
        Refusal { code: "ConflictException", status: 400, message: message.into() }
    }
}

impl Control {
    /// Answers a request, if it is one of the control plane's.
    pub(crate) fn handle(&self, head: &Parts, body: &[u8], today: &str) -> Option<Response<Body>> {
        let operation = Operation::of(&head.method, head.uri.path())?;
        if let Some(Reply::Error { code, status, message }) = self.next_scripted(operation.name()) {
            return Some(wire::exception(&code, status, &message));
        }
        let request = Request::new(head, body, today);
        Some(match self.answer(&operation, &request) {
            Ok((status, value)) => {
                let mut response = wire::json(&value);
                *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
                response
            }
            Err(Refusal { code, status, message }) => wire::exception(code, status, &message),
        })
    }

    /// The next calls of an operation, named as in `GetInferenceProfile`, are answered with this refusal.
    pub(crate) fn script(&self, operation: &str, times: usize, reply: &Reply) {
        let mut scripted = self.scripted.lock().unwrap_or_else(PoisonError::into_inner);
        scripted.extend(std::iter::repeat_n((operation.to_owned(), reply.clone()), times));
    }

    /// The id of the profile that an application profile's ARN or id was copied from. None: there is none.
    pub(crate) fn source(&self, identifier: &str) -> Option<String> {
        self.account().application(identifier).map(|profile| profile.source.clone())
    }

    /// The account's data-retention mode.
    pub(crate) fn data_retention(&self) -> String {
        self.account().retention().to_owned()
    }

    /// The batch jobs of the account.
    pub(super) fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_scripted(&self, operation: &str) -> Option<Reply> {
        let mut scripted = self.scripted.lock().unwrap_or_else(PoisonError::into_inner);
        let at = scripted.iter().position(|(name, _)| name == operation)?;
        Some(scripted.remove(at).1)
    }

    fn answer(&self, operation: &Operation, request: &Request<'_>) -> Answer {
        match operation {
            Operation::ListFoundationModels => models::list(request),
            Operation::GetFoundationModel(id) => models::get(id, request),
            Operation::GetFoundationModelAvailability(id) => models::availability(id, request),
            Operation::ListInferenceProfiles => profiles::list(&self.account(), request),
            Operation::GetInferenceProfile(id) => profiles::get(&self.account(), id, request),
            Operation::CreateInferenceProfile => profiles::create(&mut self.account(), request),
            Operation::DeleteInferenceProfile(id) => profiles::delete(&mut self.account(), id, request),
            Operation::ListTagsForResource => profiles::tags(&self.account(), request),
            Operation::CreateModelInvocationJob => jobs::create(&mut self.jobs(), request),
            Operation::GetModelInvocationJob(id) => jobs::get(&mut self.jobs(), id),
            Operation::StopModelInvocationJob(id) => jobs::stop(&mut self.jobs(), id),
            Operation::ListModelInvocationJobs => jobs::list(&self.jobs(), request),
            Operation::GetAccountDataRetention => Ok((200, self.account().retention_json())),
            Operation::PutAccountDataRetention => {
                let mode = request.json()?.get("mode").and_then(Value::as_str).map(str::to_owned);
                let mode = mode.ok_or_else(|| Refusal::invalid("mode: Field required"))?;
                let mut account = self.account();
                account.set_retention(&mode)?;
                Ok((200, account.retention_json()))
            }
        }
    }
}

/// An answer without members.
fn nothing() -> Answer {
    Ok((200, json!({})))
}
