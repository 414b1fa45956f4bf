//! Objects put from inside the process, without the wire: all objects of a result in one transaction.

use std::collections::BTreeMap;

use bytes::Bytes;
use claude_code_core::{Error, ErrorKind, Result};
use md5::{Digest, Md5};
use rusqlite::Connection;

use super::ObjectStore;
use super::journal::{self, NewRow};
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
    /// Puts objects where there are none, all or none of them; they are on the disk when this returns, and the row about
    /// them is in the journal. The same bytes there already are a success.
    ///
    /// Fails with [`ErrorKind::Conflict`] where a key has other content, with [`ErrorKind::Storage`] where the store fails.
    pub(in crate::local) async fn put_new(
        &self,
        bucket: &str,
        objects: Vec<NewObject>,
        row: NewRow,
    ) -> Result<()> {
        let versions: Vec<NewVersion> = objects.into_iter().map(NewVersion::from).collect();
        let name = bucket.to_owned();
        let put = self.store().write_with_others(move |connection| -> std::result::Result<(), NotPut> {
            for new in &versions {
                put_new(connection, &name, new)?;
            }
            Ok(journal::note(connection, &name, &row)?)
        });
        match put.await? {
            Ok(()) => Ok(()),
            Err(NotPut::Taken(key)) => Err(Error::new(
                ErrorKind::Conflict,
                format!("s3://{bucket}/{key} exists with other content: nothing was overwritten"),
            )),
            Err(NotPut::Failed(fault)) => Err(failed(bucket, fault)),
        }
    }
}

/// Why objects were not put.
enum NotPut {
    /// This key has other content.
    Taken(String),
    /// The store failed.
    Failed(Fault),
}

impl From<Fault> for NotPut {
    fn from(fault: Fault) -> Self {
        NotPut::Failed(fault)
    }
}

impl From<rusqlite::Error> for NotPut {
    fn from(error: rusqlite::Error) -> Self {
        NotPut::Failed(error.into())
    }
}

impl ObjectStore {
    /// The objects whose key begins so, in the order of their keys.
    ///
    /// Fails with [`ErrorKind::Storage`] where the bucket is not there.
    pub(in crate::local) async fn below(&self, bucket: &str, prefix: &str) -> Result<Vec<(String, Bytes)>> {
        let (name, prefix) = (bucket.to_owned(), prefix.to_owned());
        let read = self.store().write_with_others(move |connection| -> Outcome<Vec<(String, Bytes)>> {
            version::versioning(connection, &name)?;
            let mut found = connection.prepare_cached(
                "SELECT key, data FROM version JOIN body USING (seq)
                 WHERE bucket = ?1 AND latest = 1 AND marker = 0 AND substr(key, 1, length(?2)) = ?2 ORDER BY key",
            )?;
            let rows = found.query_map([&name, &prefix], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)))?;
            let objects = rows.map(|row| row.map(|(key, data)| (key, Bytes::from(data))));
            Ok(objects.collect::<rusqlite::Result<Vec<_>>>()?)
        });
        read.await?.map_err(|fault| failed(bucket, fault))
    }

    /// Puts objects over what is there.
    pub(in crate::local) async fn put_over(
        &self,
        bucket: &str,
        objects: Vec<(String, Vec<u8>)>,
    ) -> Result<()> {
        let versions: Vec<NewVersion> = objects
            .into_iter()
            .map(|(key, body)| NewObject { key, body, metadata: BTreeMap::new() }.into())
            .collect();
        let name = bucket.to_owned();
        let put = self.store().write_with_others(move |connection| -> Outcome<()> {
            versions.iter().try_for_each(|new| version::insert(connection, &name, new).map(drop))
        });
        put.await?.map_err(|fault| failed(bucket, fault))
    }
}

fn failed(bucket: &str, fault: Fault) -> Error {
    let why = match fault {
        Fault::Refused(refused) => refused.to_string(),
        Fault::Database(error) => error.to_string(),
    };
    Error::new(ErrorKind::Storage, format!("s3://{bucket} cannot be used: {why}"))
}

/// Puts an object where there is none.
fn put_new(connection: &Connection, bucket: &str, new: &NewVersion) -> std::result::Result<(), NotPut> {
    match version::latest(connection, bucket, &new.key)?.filter(|version| !version.marker) {
        None => {
            version::insert(connection, bucket, new)?;
            Ok(())
        }
        Some(there) if version::body(connection, there.seq)? == new.data => Ok(()),
        Some(_) => Err(NotPut::Taken(new.key.clone())),
    }
}
