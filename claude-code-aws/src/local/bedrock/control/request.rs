//! A request to the control plane: its operation, its query, and where it was sent from.

use http::Method;
use http::request::Parts;
use serde_json::Value;

use super::Refusal;
use super::region::Region;
use crate::local::server::percent;

/// An operation with the identifier in its path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Operation {
    ListFoundationModels,
    GetFoundationModel(String),
    GetFoundationModelAvailability(String),
    ListInferenceProfiles,
    GetInferenceProfile(String),
    CreateInferenceProfile,
    DeleteInferenceProfile(String),
    ListTagsForResource,
    GetAccountDataRetention,
    PutAccountDataRetention,
    CreateModelInvocationJob,
    GetModelInvocationJob(String),
    StopModelInvocationJob(String),
    ListModelInvocationJobs,
}

/// Where batch jobs are.
pub(in crate::local) const JOBS: &str = "/model-invocation-job";

impl Operation {
    /// The operation at a path, or none.
    pub(super) fn of(method: &Method, path: &str) -> Option<Self> {
        let below = |prefix: &str| percent::decode(path.strip_prefix(prefix)?).filter(|id| !id.is_empty());
        match (method.as_str(), path) {
            ("GET", "/foundation-models") => Some(Operation::ListFoundationModels),
            ("GET", "/inference-profiles") => Some(Operation::ListInferenceProfiles),
            ("POST", "/inference-profiles") => Some(Operation::CreateInferenceProfile),
            ("POST", "/listTagsForResource") => Some(Operation::ListTagsForResource),
            ("GET", "/data-retention") => Some(Operation::GetAccountDataRetention),
            ("POST", JOBS) => Some(Operation::CreateModelInvocationJob),
            ("GET", "/model-invocation-jobs") => Some(Operation::ListModelInvocationJobs),
            ("POST", _) => {
                let id = path.strip_prefix(JOBS)?.strip_prefix('/')?.strip_suffix("/stop")?;
                percent::decode(id).filter(|id| !id.is_empty()).map(Operation::StopModelInvocationJob)
            }
            ("PUT", "/data-retention") => Some(Operation::PutAccountDataRetention),
            ("GET", _) => below("/foundation-models/")
                .map(Operation::GetFoundationModel)
                .or_else(|| {
                    below("/foundation-model-availability/").map(Operation::GetFoundationModelAvailability)
                })
                .or_else(|| below("/model-invocation-job/").map(Operation::GetModelInvocationJob))
                .or_else(|| below("/inference-profiles/").map(Operation::GetInferenceProfile)),
            ("DELETE", _) => below("/inference-profiles/").map(Operation::DeleteInferenceProfile),
            _ => None,
        }
    }

    /// Its name in the service's model.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Operation::ListFoundationModels => "ListFoundationModels",
            Operation::GetFoundationModel(_) => "GetFoundationModel",
            Operation::GetFoundationModelAvailability(_) => "GetFoundationModelAvailability",
            Operation::ListInferenceProfiles => "ListInferenceProfiles",
            Operation::GetInferenceProfile(_) => "GetInferenceProfile",
            Operation::CreateInferenceProfile => "CreateInferenceProfile",
            Operation::DeleteInferenceProfile(_) => "DeleteInferenceProfile",
            Operation::ListTagsForResource => "ListTagsForResource",
            Operation::GetAccountDataRetention => "GetAccountDataRetention",
            Operation::PutAccountDataRetention => "PutAccountDataRetention",
            Operation::CreateModelInvocationJob => "CreateModelInvocationJob",
            Operation::GetModelInvocationJob(_) => "GetModelInvocationJob",
            Operation::StopModelInvocationJob(_) => "StopModelInvocationJob",
            Operation::ListModelInvocationJobs => "ListModelInvocationJobs",
        }
    }
}

/// What an operation is told.
pub(super) struct Request<'r> {
    /// The region that the request was signed for.
    pub(super) region: Region,
    /// `YYYY-MM-DD`.
    pub(super) today: &'r str,
    query: Vec<(String, String)>,
    body: &'r [u8],
}

impl<'r> Request<'r> {
    pub(super) fn new(head: &Parts, body: &'r [u8], today: &'r str) -> Self {
        let query = head.uri.query().unwrap_or_default();
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((percent::decode(name)?, percent::decode(value)?))
        });
        Request { region: Region::of(&head.headers), today, query: pairs.collect(), body }
    }

    /// A parameter of the query.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that has one of these values, or is not there.
    pub(super) fn one_of(&self, name: &str, values: &[&str]) -> Result<Option<&str>, Refusal> {
        match self.query(name) {
            Some(value) if !values.contains(&value) => Err(Refusal::invalid(format!(
                "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: Member \
                 must satisfy enum value set: [{}]",
                values.join(", ")
            ))),
            value => Ok(value),
        }
    }

    /// The body.
    pub(super) fn json(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(self.body)
            .map_err(|error| Refusal::invalid(format!("the request is not JSON: {error}")))
    }
}
