//! Download links of a stored result: presigned URLs of its files.

use claude_code_core::{Result, Scope, UtcMillis};

use crate::storage::presign::Presigner;
use crate::storage::results::{AwsResults, keys_at, s3_key};

/// A link to one file.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Download {
    /// The file's name within the result.
    pub path: String,
    /// Gives the file to whoever has it, until it ends.
    pub url: String,
    /// When it ends.
    pub expires_at: UtcMillis,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
}

// Whoever has the link has the file: Debug does not tell it.
impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Download({:?}, until {})", self.path, self.expires_at.iso())
    }
}

impl AwsResults {
    /// A link for each file of a result, for an hour, or for less where the credentials that sign it end sooner. A
    /// browser saves what it gets as a file and never shows it as a page.
    ///
    /// Fails with `NotFound` outside the scope, and with `Credentials` if these end within a minute.
    pub async fn download(&self, scope: &Scope, id: &str) -> Result<Vec<Download>> {
        let item = self.item(scope, id).await?;
        let (names, hashes): (Vec<String>, Vec<String>) = self.files(&item).await?.into_iter().unzip();
        let signer = Presigner::new(&self.s3, self.credentials.as_ref(), &self.clock).await?;
        let mut links = Vec::with_capacity(names.len());
        let keys = keys_at(s3_key(&item).unwrap_or_default(), &names);
        for ((path, key), sha256) in names.into_iter().zip(keys).zip(hashes) {
            let url = signer.url(&self.bucket, &key, &path).await?;
            links.push(Download { path, url, expires_at: signer.expires_at, sha256 });
        }
        Ok(links)
    }
}
