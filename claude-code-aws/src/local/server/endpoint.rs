//! Service endpoint: a request in, its answer out, whether it came by connector or socket.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use claude_code_core::Result;
use http::{Request, Response};
use tokio::sync::OnceCell;

use super::body::{self, Body};
use super::keys::Keys;
use super::sts;
use crate::local::bedrock::{Bedrock, Front};
use crate::local::responder::Responder;
use crate::local::s3::ObjectStore;
use crate::local::storage::directory::Directory;
use crate::local::storage::dynamodb::DynamoDb;
use crate::local::storage::state::SqliteState;

/// The services of the twin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Bedrock's runtime, its control plane, and the Messages API.
    Bedrock,
    /// DynamoDB.
    DynamoDb,
    /// S3, path style and virtual-hosted style.
    S3,
    /// STS, as far as GetCallerIdentity.
    Sts,
}

impl Service {
    /// The host that stands for the service inside the process. `.internal` never resolves outside.
    pub fn host(self) -> &'static str {
        match self {
            Service::Bedrock => "bedrock-runtime.twin.internal",
            Service::DynamoDb => "dynamodb.twin.internal",
            Service::S3 => crate::local::s3::HOST,
            Service::Sts => "sts.twin.internal",
        }
    }

    /// The service that a host names, buckets in front of S3's host included.
    pub fn from_host(host: &str) -> Option<Self> {
        let all = [Service::Bedrock, Service::DynamoDb, Service::S3, Service::Sts];
        let is = |service: &Service| host == service.host();
        let bucket = host.strip_suffix(crate::local::s3::HOST).is_some_and(|front| front.ends_with('.'));
        all.into_iter().find(is).or(bucket.then_some(Service::S3))
    }
}

/// The engines of one twin, each opened on first use.
#[derive(Debug)]
pub struct Engines {
    path: PathBuf,
    keys: Keys,
    bedrock: Bedrock,
    dynamodb: OnceCell<DynamoDb>,
    s3: OnceCell<ObjectStore>,
    state: OnceCell<SqliteState>,
    // Last, because fields drop in order: the lock goes when the databases are closed.
    directory: Mutex<Option<Arc<Directory>>>,
}

impl Engines {
    /// Engines that will keep their data in this directory and answer with this responder. Touches nothing yet.
    pub fn new(path: PathBuf, responder: Arc<dyn Responder>) -> Self {
        let bedrock = Bedrock::new(responder);
        Engines {
            path,
            keys: Keys::default(),
            bedrock,
            dynamodb: OnceCell::new(),
            s3: OnceCell::new(),
            state: OnceCell::new(),
            directory: Mutex::default(),
        }
    }

    /// With these keys for signatures.
    pub fn with_keys(mut self, keys: Keys) -> Self {
        self.keys = keys;
        self
    }

    /// With this in the place of models.
    pub(crate) fn with_front(mut self, front: Option<Front>) -> Self {
        self.bedrock = self.bedrock.with_front(front);
        self
    }

    /// Where the state directory is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The keys that requests are signed with.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The shared state of the directory, opened on first use.
    pub async fn state(&self) -> Result<&SqliteState> {
        self.state.get_or_try_init(|| async { SqliteState::open(self.directory()?).await }).await
    }

    /// The state directory, opened on first use. Fails as [`Directory::open`] does, and tries again at
    /// the next call.
    pub fn directory(&self) -> Result<Arc<Directory>> {
        let mut slot = self.directory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(directory) = slot.as_ref() {
            return Ok(Arc::clone(directory));
        }
        let directory = Arc::new(Directory::open(&self.path)?);
        *slot = Some(Arc::clone(&directory));
        Ok(directory)
    }

    /// What was noticed on opening the engines so far, one line each.
    pub fn notices(&self) -> Vec<String> {
        let slot = self.directory.lock().unwrap_or_else(PoisonError::into_inner);
        slot.as_ref().map(|directory| directory.notices()).unwrap_or_default()
    }

    /// Bedrock's endpoint.
    pub(in crate::local) fn bedrock(&self) -> &Bedrock {
        &self.bedrock
    }

    pub(in crate::local) async fn dynamodb(&self) -> Result<&DynamoDb> {
        self.dynamodb.get_or_try_init(|| async { DynamoDb::open(self.directory()?).await }).await
    }

    pub(in crate::local) async fn s3(&self) -> Result<&ObjectStore> {
        self.s3.get_or_try_init(|| async { ObjectStore::open(self.directory()?, &self.keys).await }).await
    }
}

/// Answers one request. Whatever the service itself says, refusals included, is an answer; an error means that
/// the engine could not be opened or that the request's body broke off.
pub async fn handle(engines: &Engines, service: Service, request: Request<Body>) -> Result<Response<Body>> {
    let head = request.method() == http::Method::HEAD;
    let response = match service {
        Service::Bedrock => {
            // Batch jobs read and write objects: what their clock has passed is done before anybody looks.
            if request.uri().path().starts_with("/model-invocation-job") {
                engines.bedrock.run_jobs(engines.s3().await?).await?;
            }
            engines.bedrock.handle(request).await?
        }
        Service::DynamoDb => engines.dynamodb().await?.handle(request).await?,
        Service::S3 => engines.s3().await?.handle(request).await?,
        Service::Sts => sts::handle(request).await?,
    };
    // A body on an answer to HEAD would be read as an error document: NotFound would become NoSuchKey.
    Ok(if head { response.map(|_| body::full("")) } else { response })
}
