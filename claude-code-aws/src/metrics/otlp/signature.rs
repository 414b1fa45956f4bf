//! Signature Version 4 of an export, for CloudWatch's own addresses.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;

use crate::clock::{Moment, moment};

/// Credentials that end sooner are looked for anew.
const LEFT: Duration = Duration::from_secs(60);
/// Those without an end are looked for anew after this time: their file may have changed.
const KEPT: Duration = Duration::from_secs(300);

/// Who signs, with the credentials of the last export.
#[derive(Debug)]
pub(super) struct Signer {
    provider: SharedCredentialsProvider,
    last: Mutex<Option<(Credentials, Moment)>>,
}

impl Signer {
    pub(super) fn new(provider: SharedCredentialsProvider) -> Self {
        Signer { provider, last: Mutex::default() }
    }

    /// Signs the request for this service and region.
    pub(super) async fn sign(
        &self,
        request: &mut http::Request<Vec<u8>>,
        (service, region): (&str, &str),
    ) -> Result<(), String> {
        let identity = self.credentials().await?.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service)
            .time(moment())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let headers =
            request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signable = SignableRequest::new(
            request.method().as_str(),
            request.uri().to_string(),
            headers,
            SignableBody::Bytes(request.body()),
        )
        .map_err(|error| error.to_string())?;
        let (instructions, _) = sign(signable, &params).map_err(|error| error.to_string())?.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }

    async fn credentials(&self) -> Result<Credentials, String> {
        let now = moment();
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((found, until)) = last
            && now < until
        {
            return Ok(found);
        }
        // The SDK's own words may be long; what is wrong with credentials is told where a model is asked.
        let found =
            self.provider.provide_credentials().await.map_err(|_| "no AWS credentials found".to_owned())?;
        let until = found.expiry().map_or(now + KEPT, |end| (now + KEPT).min(end - LEFT));
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((found.clone(), until));
        Ok(found)
    }
}
