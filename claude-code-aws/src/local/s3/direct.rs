//! Objects put from inside the process, without the wire: all objects of a result in one transaction.

use std::collections::BTreeMap;

use bytes::Bytes;
use claude_code_core::{Error, ErrorKind, Result};
use md5::{Digest, Md5};
use rusqlite::Connection;

use super::ObjectStore;
use super::payload::{digest, hex};
use super::service::{Fault, Outcome};
use super::version::{self, Attributes, Checksums, NewVersion};

/// What every object is served as.
const CONTENT_TYPE: &str = "text/plain; charset=utf-8";

/// An object to be put where there is none.
#[derive(Debug)]
pub(in crate::local) struct NewObject {
    pub(in crate::local) key: String,
    pub(in crate::local) body: Vec<u8>,
    pub(in crate::local) metadata: BTreeMap<String, String>,
}

impl From<NewObject> for NewVersion {
    fn from(object: NewObject) -> Self {
        let attributes = Attributes {
            content_type: Some(CONTENT_TYPE.to_owned()),
            metadata: object.metadata,
            checksums: digest(&object.body, &Checksums::default()),
            ..Attributes::default()
        };
        NewVersion {
            key: object.key,
            etag: hex(&Md5::digest(&object.body)),
            data: Bytes::from(object.body),
            attributes,
        }
    }
}

impl ObjectStore {
    /// Puts objects where there are none, all or none of them; they are on the disk when this returns. The same bytes
    /// there already are a success.
    ///
    /// Fails with [`ErrorKind::Conflict`] where a key has other content, with [`ErrorKind::Storage`] where the store fails.
    pub(in crate::local) async fn put_new(&self, bucket: &str, objects: Vec<NewObject>) -> Result<()> {
        let versions: Vec<NewVersion> = objects.into_iter().map(NewVersion::from).collect();
        let name = bucket.to_owned();
        let put = self.store().write_with_others(move |connection| {
            for new in &versions {
                if !put_new(connection, &name, new)? {
                    return Ok(Some(new.key.clone()));
                }
            }
            Ok(None)
        });
        match put.await? {
            Ok(None) => Ok(()),
            Ok(Some(key)) => Err(Error::new(
                ErrorKind::Conflict,
                format!("s3://{bucket}/{key} exists with other content: nothing was overwritten"),
            )),
            Err(Fault::Refused(refused)) => {
                Err(Error::new(ErrorKind::Storage, format!("cannot put into s3://{bucket}: {refused}")))
            }
            Err(Fault::Database(error)) => {
                Err(Error::new(ErrorKind::Storage, format!("cannot put into s3://{bucket}: {error}")))
            }
        }
    }
}

/// False: the key has other content.
fn put_new(connection: &Connection, bucket: &str, new: &NewVersion) -> Outcome<bool> {
    match version::latest(connection, bucket, &new.key)?.filter(|version| !version.marker) {
        None => version::insert(connection, bucket, new).map(|_| true),
        Some(there) => Ok(version::body(connection, there.seq)? == new.data),
    }
}
