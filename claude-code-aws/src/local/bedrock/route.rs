//! Request routing: the operation that a path names.

use http::Method;

use crate::local::server::percent;

/// An operation and the model in its path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    Converse { model: String, streaming: bool },
    Invoke { model: String, streaming: bool },
    CountTokens { model: String },
    Messages,
    CountMessages,
}

#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only the command line records"))]
impl Route {
    /// The operation at a path, or none. The id is everything between the two fixed parts, so an ARN is found
    /// whether its slashes are escaped or not.
    pub(super) fn of(method: &Method, path: &str) -> Option<Self> {
        if *method != Method::POST {
            return None;
        }
        match path {
            "/v1/messages" => return Some(Route::Messages),
            "/v1/messages/count_tokens" => return Some(Route::CountMessages),
            _ => {}
        }
        let (id, operation) = path.strip_prefix("/model/")?.rsplit_once('/')?;
        let model = percent::decode(id)?;
        match operation {
            "converse" => Some(Route::Converse { model, streaming: false }),
            "converse-stream" => Some(Route::Converse { model, streaming: true }),
            "invoke" => Some(Route::Invoke { model, streaming: false }),
            "invoke-with-response-stream" => Some(Route::Invoke { model, streaming: true }),
            "count-tokens" => Some(Route::CountTokens { model }),
            _ => None,
        }
    }

    /// A word for the operation, the same for every model.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Route::Converse { streaming: false, .. } => "converse",
            Route::Converse { streaming: true, .. } => "converse-stream",
            Route::Invoke { streaming: false, .. } => "invoke",
            Route::Invoke { streaming: true, .. } => "invoke-stream",
            Route::CountTokens { .. } => "count-tokens",
            Route::Messages => "messages",
            Route::CountMessages => "count-messages",
        }
    }

    /// The model in the path; empty where the body names it.
    pub(super) fn model(&self) -> &str {
        match self {
            Route::Converse { model, .. } | Route::Invoke { model, .. } | Route::CountTokens { model } => {
                model
            }
            Route::Messages | Route::CountMessages => "",
        }
    }

    /// Whether the path asks for a stream.
    pub(super) fn is_streaming(&self) -> bool {
        matches!(self, Route::Converse { streaming: true, .. } | Route::Invoke { streaming: true, .. })
    }

    /// Whether this is the Messages API.
    pub(super) fn is_messages(&self) -> bool {
        matches!(self, Route::Messages | Route::CountMessages)
    }
}
