//! Reachability probe of a Messages API: lists its models with the key, which costs nothing.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_types::body::SdkBody;
use claude_code_core::{Error, ErrorKind, Result};

use super::{Anthropic, VERSION, unsent};

/// A list is there at once or never.
const PATIENCE: Duration = Duration::from_secs(8);

/// What a server says to its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// It takes the key, or wants none.
    Taken,
    /// It answers, but has no list of models: the key was not tried.
    Untried,
    /// It refuses the key.
    Refused(u16),
    /// It answers that something is wrong with itself.
    Ailing(u16),
}

impl Anthropic {
    /// Asks the first server. Fails with [`ErrorKind::Connection`] where none answers.
    pub(crate) async fn reach(&self) -> Result<Reached> {
        let host = &self.endpoint.host;
        let gone = |why: String| Error::new(ErrorKind::Connection, why);
        let mut request = http::Request::get(self.endpoint.models()).header("anthropic-version", VERSION);
        if let Some(value) = self.key_header() {
            request = request.header("x-api-key", value);
        }
        let unbuilt = || gone(format!("a request to {host} could not be built: check ANTHROPIC_BASE_URL"));
        let request = request.body(SdkBody::empty()).map_err(|_| unbuilt())?;
        let request = request.try_into().map_err(|_| unbuilt())?;
        let Ok(answered) = tokio::time::timeout(PATIENCE, self.connector.call(request)).await else {
            return Err(gone(format!("{host} did not answer within {} s", PATIENCE.as_secs())));
        };
        let response = answered.map_err(|failed| gone(unsent(&failed).message))?;
        Ok(match response.status().as_u16() {
            200..=299 => Reached::Taken,
            status @ (401 | 403) => Reached::Refused(status),
            400..=499 => Reached::Untried,
            status => Reached::Ailing(status),
        })
    }
}
