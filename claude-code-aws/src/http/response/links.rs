//! Download links in responses; on the twin they point at this server.

use std::sync::Arc;

use crate::service_creator::Code;
use aws_sdk_s3::config::SharedCredentialsProvider;
use claude_code_core::answer::file::stored_names;
use claude_code_core::{Clock, Error, ErrorKind, Generation, Result, UtcMillis};
use serde_json::{Value, json};

use crate::connect::Places;
use crate::storage::presign::Presigner;

/// Makes links to stored files.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    s3: aws_sdk_s3::Client,
    results: String,
    services: String,
    credentials: Option<SharedCredentialsProvider>,
    #[cfg(feature = "local")]
    pub(crate) twin: Option<crate::local::Twin>,
    clock: Arc<dyn Clock>,
}

/// A file and where to get it.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) path: String,
    pub(crate) url: String,
    pub(crate) expires_at: UtcMillis,
}

impl Links {
    pub(crate) fn new(places: Places, services: &str, clock: Arc<dyn Clock>) -> Self {
        Links {
            s3: crate::storage::s3::client(&places.sdk),
            results: places.bucket,
            services: services.to_owned(),
            credentials: places.sdk.credentials_provider(),
            #[cfg(feature = "local")]
            twin: places.twin,
            clock,
        }
    }

    /// A link for each file of a stored result, in their order.
    pub(crate) async fn of_result(&self, generation: &Generation, host: &str) -> Result<Vec<Link>> {
        let Some(s3_key) = &generation.s3_key else {
            return Err(Error::new(ErrorKind::NotFound, "the result is not stored: it has no download"));
        };
        let key = |name: &str| if s3_key.ends_with('/') { format!("{s3_key}{name}") } else { s3_key.clone() };
        let names = stored_names(&generation.files)?;
        self.links(&self.results, names.into_iter().map(|name| (key(&name), name)), host).await
    }

    /// A link for each file of a service's code, in their order.
    pub(crate) async fn of_code(&self, code: &Code, host: &str) -> Result<Vec<Link>> {
        let key = |path: &str| format!("{}{path}", code.prefix());
        let files = code.files.iter().map(|file| (key(&file.path), file.path.clone()));
        self.links(&self.services, files, host).await
    }

    async fn links(
        &self,
        bucket: &str,
        files: impl Iterator<Item = (String, String)>,
        host: &str,
    ) -> Result<Vec<Link>> {
        let signer = Presigner::new(&self.s3, self.credentials.as_ref(), &self.clock).await;
        let signer = // They are the server's: its callers are known, and can only come back later.
            signer.map_err(|error| error.with_kind(ErrorKind::Unavailable))?;
        let mut links = Vec::new();
        for (key, path) in files {
            let signed = signer.url(bucket, &key, &path).await?;
            links.push(Link { path, url: self.reachable(signed, host), expires_at: signer.expires_at });
        }
        Ok(links)
    }

    /// The link as the caller can follow it. The twin has no address of its own: its S3 is behind this server.
    fn reachable(&self, signed: String, host: &str) -> String {
        #[cfg(feature = "local")]
        if self.twin.is_some() {
            return crate::http::routes::twin_s3::url(&signed, host);
        }
        let _ = host;
        signed
    }
}

/// What a listing of links says: the files, and for a single one its URL beside them.
pub(crate) fn listing(id: &str, links: &[Link], sha256: impl Fn(usize) -> String) -> Value {
    let file = |(index, link): (usize, &Link)| json!({ "path": link.path, "url": link.url, "sha256": sha256(index) });
    let files: Vec<Value> = links.iter().enumerate().map(file).collect();
    let expires_at = links.iter().map(|link| link.expires_at).min().unwrap_or_default().iso();
    let mut body = json!({ "id": id, "files": files, "expires_at": expires_at });
    if let [only] = links {
        body["url"] = only.url.as_str().into();
        body["sha256"] = sha256(0).into();
    }
    body
}
