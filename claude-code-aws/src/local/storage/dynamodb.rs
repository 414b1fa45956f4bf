//! DynamoDB: the dynoxide engine on one SQLite file, called in process by the operation's name.

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use claude_code_core::Result;
use dynoxide::{Database, DynoxideError};
use http::{Request, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::directory::{Directory, unopened};
use super::results;
use super::sqlite_thread::Worker;
use crate::local::server::body::{self, Body};

/// The engine's file in the state directory.
pub(crate) const FILE: &str = "dynamodb.sqlite";

/// Before the operation in `X-Amz-Target`.
const TARGET: &str = "DynamoDB_20120810.";

/// The longest request of the API: a batch of 16 MB (BatchWriteItem).
const MAX_REQUEST: usize = 16 * 1024 * 1024;

/// Operations that change nothing.
const READS: [&str; 9] = [
    "GetItem",
    "BatchGetItem",
    "TransactGetItems",
    "Query",
    "Scan",
    "DescribeTable",
    "ListTables",
    "DescribeTimeToLive",
    "ListTagsOfResource",
];

/// Items that one transaction of the API takes, and the bytes of them, with room for the expressions.
const AT_ONCE: (usize, usize) = (100, 3 << 20);

/// The engine behind the DynamoDB endpoint.
#[derive(Debug)]
pub(crate) struct DynamoDb {
    worker: Worker<Database>,
    waiting: Arc<Mutex<Vec<Put>>>,
    /// SQLite's log of what is not in the database's file yet.
    log: PathBuf,
}

/// An item that waits for the next transaction: the members of a PutItem.
struct Put {
    members: Value,
    size: usize,
    done: oneshot::Sender<Result<(), DynoxideError>>,
}

impl std::fmt::Debug for Put {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Put({} bytes)", self.size)
    }
}

impl DynamoDb {
    /// Opens the database in the state directory.
    pub(crate) async fn open(directory: Arc<Directory>) -> Result<Self> {
        let log = directory.path().join(format!("{FILE}-wal"));
        let open = move || {
            let path = directory.database(FILE)?;
            let failed = |error: &dyn std::fmt::Display| unopened(&path, error);
            let name = path.to_str().ok_or_else(|| failed(&"its path is not UTF-8"))?;
            let database = Database::new(name).map_err(|error| failed(&error))?;
            // Rows of results are in the journal beside their objects, which is synchronised; the log of this database is
            // each time it is written back. (The engine's own name for `synchronous = NORMAL`.)
            if results::is_recovered() {
                database.disable_bulk_loading().map_err(|error| failed(&error))?;
            }
            Ok(database)
        };
        Ok(DynamoDb { worker: Worker::start("dynamodb", open).await?, waiting: Arc::default(), log })
    }

    /// Puts an item from inside the process (the members of a PutItem); items that arrive together share a transaction.
    pub(crate) async fn put(&self, members: Value, size: usize) -> Result<Result<(), DynoxideError>> {
        if self.worker.is_forked() {
            return Err(self.worker.stopped());
        }
        let (done, put) = oneshot::channel();
        let first = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.push(Put { members, size, done });
            waiting.len() == 1
        };
        if first {
            let waiting = self.waiting.clone();
            self.worker.post(move |database| {
                let puts = std::mem::take(&mut *waiting.lock().unwrap_or_else(PoisonError::into_inner));
                put_all(database, puts);
            });
        }
        put.await.map_err(|_| self.worker.stopped())
    }

    /// Answers one request of the JSON protocol.
    pub(crate) async fn handle(&self, request: Request<Body>) -> Result<Response<Body>> {
        let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
        let Some(operation) = target.and_then(|target| target.strip_prefix(TARGET)).map(str::to_owned) else {
            return Ok(unknown_operation("of that name (x-amz-target)"));
        };
        let named: String = operation.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
        let bytes = body::collect(request.into_body(), MAX_REQUEST).await?;
        let log = self.log.clone();
        let answer = self.worker.run(move |database| {
            let answer = call(database, &operation, &bytes);
            if results::is_recovered() && !READS.contains(&operation.as_str()) {
                // What is answered is on the disk. SQLite itself waits for that only where it writes the log back.
                File::open(&log).and_then(|log| log.sync_data()).unwrap_or_else(|error| unsynced(&error));
            }
            answer
        });
        let answer = answer.await?;
        Ok(match answer {
            Some(Ok(json)) => respond(StatusCode::OK, json),
            Some(Err(error)) => {
                let status = StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::BAD_REQUEST);
                respond(status, error.to_json())
            }
            None => unknown_operation(&named),
        })
    }
}

/// Puts items in as few transactions as the API allows. Where one of a transaction is refused, each is put alone.
fn put_all(database: &Database, puts: Vec<Put>) {
    let mut puts = puts.into_iter().peekable();
    while puts.peek().is_some() {
        let (mut group, mut size) = (Vec::new(), 0);
        while let Some(put) =
            puts.next_if(|put| group.len() < AT_ONCE.0 && (group.is_empty() || size + put.size <= AT_ONCE.1))
        {
            size += put.size;
            group.push(put);
        }
        let together = match group.as_slice() {
            [_] => false,
            several => {
                let items: Vec<Value> = several.iter().map(|put| json!({ "Put": put.members })).collect();
                let body = json!({ "TransactItems": items }).to_string();
                through(body.as_bytes(), |request| database.transact_write_items(request)).is_ok()
            }
        };
        for Put { members, done, .. } in group {
            let alone =
                || through(members.to_string().as_bytes(), |request| database.put_item(request)).map(drop);
            let _ = done.send(if together { Ok(()) } else { alone() });
        }
    }
}

fn unsynced(error: &std::io::Error) {
    if error.kind() != std::io::ErrorKind::NotFound {
        tracing::warn!(%error, "the local tables' log could not be synchronised");
    }
}

fn unknown_operation(name: &str) -> Response<Body> {
    let json = serde_json::json!({
        "__type": "com.amazon.coral.service#UnknownOperationException",
        "message": format!("the local DynamoDB has no operation {name}"),
    });
    respond(StatusCode::BAD_REQUEST, json.to_string())
}

fn respond(status: StatusCode, json: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(body::full(json));
    *response.status_mut() = status;
    let kind = http::HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    response
}

/// The answer's JSON, or none for an operation that the engine does not have (backups, streams, global tables).
fn call(db: &Database, operation: &str, body: &[u8]) -> Option<Result<String, DynoxideError>> {
    Some(match operation {
        "CreateTable" => through(body, |request| db.create_table(request)),
        "DescribeTable" => through(body, |request| db.describe_table(request)),
        "UpdateTable" => through(body, |request| db.update_table(request)),
        "DeleteTable" => through(body, |request| db.delete_table(request)),
        "ListTables" => through(body, |request| db.list_tables(request)),
        "PutItem" => through(body, |request| db.put_item(request)),
        "GetItem" => through(body, |request| db.get_item(request)),
        "UpdateItem" => through(body, |request| db.update_item(request)),
        "DeleteItem" => through(body, |request| db.delete_item(request)),
        "Query" => through(body, |request| db.query(request)),
        "Scan" => through(body, |request| db.scan(request)),
        "BatchGetItem" => through(body, |request| db.batch_get_item(request)),
        "BatchWriteItem" => through(body, |request| db.batch_write_item(request)),
        "TransactGetItems" => through(body, |request| db.transact_get_items(request)),
        "TransactWriteItems" => through(body, |request| db.transact_write_items(request)),
        "ExecuteStatement" => through(body, |request| db.execute_statement(request)),
        "BatchExecuteStatement" => through(body, |request| db.batch_execute_statement(request)),
        "ExecuteTransaction" => through(body, |request| db.execute_transaction(request)),
        "UpdateTimeToLive" => through(body, |request| db.update_time_to_live(request)),
        "DescribeTimeToLive" => through(body, |request| db.describe_time_to_live(request)),
        "TagResource" => silent(body, |request| db.tag_resource(request)),
        "UntagResource" => silent(body, |request| db.untag_resource(request)),
        "ListTagsOfResource" => through(body, |request| db.list_tags_of_resource(request)),
        _ => return None,
    })
}

fn through<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    run: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<String, DynoxideError> {
    let answer = run(read(body)?)?;
    serde_json::to_string(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// Operations whose answer has no body.
fn silent<Q: DeserializeOwned, A>(
    body: &[u8],
    run: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<String, DynoxideError> {
    run(read(body)?).map(|_| String::new())
}

/// Reads a request. The engine's own reader marks the class of an error in front of the message.
fn read<Q: DeserializeOwned>(body: &[u8]) -> Result<Q, DynoxideError> {
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        let text = text.split(" at line ").next().unwrap_or_default();
        let marked = ["VALIDATION:", "VALIDATION_REQUEST:", "VALIDATION_AS_READ:"];
        if let Some(message) = marked.iter().find_map(|mark| text.strip_prefix(mark)) {
            return DynoxideError::ValidationException(message.to_owned());
        }
        let marked = ["SERIALIZATION:", "SERIALIZATION_AS_READ:"];
        if let Some(message) = marked.iter().find_map(|mark| text.strip_prefix(mark)) {
            return DynoxideError::SerializationException(message.to_owned());
        }
        if text.contains("missing field")
            || text.contains("unknown variant")
            || text.contains("Supplied Attribute")
        {
            return DynoxideError::ValidationException(text.to_owned());
        }
        DynoxideError::SerializationException(text.to_owned())
    })
}
