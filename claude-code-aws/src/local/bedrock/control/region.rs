//! Regions, and which of them an inference profile reaches.
//!
//! The destinations are those that AWS lists for Claude's profiles; a region may have been added since.

use claude_code_core::model::ProfileScope;
use http::HeaderMap;
use http::header::{AUTHORIZATION, HOST};

use crate::local::server::endpoint::Service;

/// Where requests without a signature are taken to come from.
const DEFAULT: &str = "us-east-1";

/// A region of AWS, as a request names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Region(String);

impl Region {
    /// The region that a request was signed for.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Region::named(headers).unwrap_or_else(|| Region(DEFAULT.to_owned()))
    }

    /// The region that a caller chose; none where nothing is signed, or by the twin's own client inside the process,
    /// whose region nobody chose.
    pub(in super::super) fn signed(headers: &HeaderMap) -> Option<Self> {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let inside = host.is_some_and(|host| Service::from_host(host).is_some());
        Region::named(headers).filter(|_| !inside)
    }

    /// `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
    fn named(headers: &HeaderMap) -> Option<Self> {
        let signed = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let region = signed.split_once("Credential=")?.1.split('/').nth(2)?;
        let word = !region.is_empty() && region.bytes().all(is_region_byte);
        word.then(|| Region(region.to_owned()))
    }

    /// `us-east-1`.
    pub(in super::super) fn as_str(&self) -> &str {
        &self.0
    }

    /// `aws`, or `aws-us-gov`.
    pub(super) fn partition(&self) -> &'static str {
        if self.0.starts_with("us-gov-") { "aws-us-gov" } else { "aws" }
    }

    /// Whether requests from here may use profiles of this scope.
    pub(in super::super) fn has(&self, scope: ProfileScope) -> bool {
        let gov = self.0.starts_with("us-gov-");
        match scope {
            ProfileScope::Global => !gov,
            ProfileScope::UsGov => gov,
            ProfileScope::Us => !gov && (self.0.starts_with("us-") || self.0 == "ca-central-1"),
            ProfileScope::Eu => self.0.starts_with("eu-"),
            ProfileScope::Jp => ["ap-northeast-1", "ap-northeast-3"].contains(&self.as_str()),
            ProfileScope::Au => ["ap-southeast-2", "ap-southeast-4"].contains(&self.as_str()),
            ProfileScope::In => ["ap-south-1", "ap-south-2"].contains(&self.as_str()),
            ProfileScope::Apac => self.0.starts_with("ap-"),
            ProfileScope::Ca => self.0.starts_with("ca-"),
            _ => false,
        }
    }

    /// The regions that a profile of this scope sends to from here; `""` stands for all of them.
    pub(super) fn destinations(&self, scope: ProfileScope) -> Vec<&str> {
        match scope {
            ProfileScope::Global => vec![self.as_str(), ""],
            ProfileScope::Us => vec!["us-east-1", "us-east-2", "us-west-2"],
            ProfileScope::Eu => vec!["eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3"],
            ProfileScope::Jp => vec!["ap-northeast-1", "ap-northeast-3"],
            ProfileScope::Au => vec!["ap-southeast-2", "ap-southeast-4"],
            ProfileScope::In => vec!["ap-south-1", "ap-south-2"],
            ProfileScope::Apac => vec!["ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2"],
            ProfileScope::Ca => vec!["ca-central-1", "ca-west-1"],
            ProfileScope::UsGov => vec!["us-gov-east-1", "us-gov-west-1"],
            _ => vec![self.as_str()],
        }
    }
}

fn is_region_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}
