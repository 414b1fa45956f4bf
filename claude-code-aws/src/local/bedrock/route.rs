//! Which operation a path names.

use http::Method;

use crate::local::percent;

/// An operation and the model in its path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    Converse { model: String, streaming: bool },
    Invoke { model: String, streaming: bool },
    CountTokens { model: String },
    Messages,
    CountMessages,
}

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
}
