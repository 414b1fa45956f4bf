//! DynamoDB implementations of the core's stores.

pub(crate) mod row;
mod state;

pub use state::DynamoState;

use std::error::Error as StdError;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use claude_code_core::{Error, ErrorKind};

/// How long one try may take. DynamoDB answers within milliseconds; the rest is for a busy network.
const ATTEMPT: Duration = Duration::from_secs(5);
/// The same with all of the SDK's tries.
const OPERATION: Duration = Duration::from_secs(15);

/// DynamoDB as this configuration reaches it. A table that does not answer is an error, not a wait without end.
pub fn client(sdk: &SdkConfig) -> Client {
    let limits = crate::connect::transport::limits(sdk, ATTEMPT, OPERATION);
    Client::from_conf(aws_sdk_dynamodb::config::Builder::from(sdk).timeout_config(limits).build())
}

/// One line about a failed call, without the service's raw answer.
pub(crate) fn error<E, R>(verb: &str, table: &str, failed: &SdkError<E, R>) -> Error
where
    SdkError<E, R>: ProvideErrorMetadata + StdError + 'static,
{
    let busy = "it is busy: try again";
    let own = [
        (
            "ResourceNotFoundException",
            "create the table, or set the name of yours in CLAUDE_CODE_AWS_TABLE_NAME or _STATE_TABLE",
        ),
        ("AccessDeniedException", "allow GetItem, PutItem, UpdateItem, DeleteItem and Query on it"),
        ("ProvisionedThroughputExceededException", busy),
        ("ThrottlingException", busy),
    ];
    Error::new(
        ErrorKind::Storage,
        crate::storage::failure::told(&format!("{verb} table {table}"), failed, &own),
    )
}
