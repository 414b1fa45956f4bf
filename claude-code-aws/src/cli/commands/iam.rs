//! `iam`: prints the least policy for the given models and buckets. A test compares it with the templates' policy.

use std::collections::BTreeMap;

use claude_code_core::model::ModelId;
use claude_code_core::model::catalogue::Catalogue;
use claude_code_core::select::Reach;
use claude_code_core::{Error, Family, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::args::Global;
use crate::cli::output::{exit, json as output, show};
use crate::cli::report_args::IamArgs;
use crate::cli::setup;
use crate::connect::config::Config;

/// Models and destination regions by profile scope: what CDK and Terraform read, too.
const ACCESS: &str = include_str!("../../../infra/access.json");

#[derive(Deserialize)]
struct Access {
    scopes: BTreeMap<String, Scope>,
}

#[derive(Deserialize)]
struct Scope {
    /// `${region}` stands for the caller's own, an empty one for none: profiles beyond regions ask for that.
    regions: Vec<String>,
    models: Vec<String>,
}

/// A statement of a policy.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: &'static str,
    effect: &'static str,
    action: Vec<&'static str>,
    resource: Vec<String>,
}

pub(crate) fn run(global: Global, args: &IamArgs) -> Result<u8> {
    let config = setup::config(global)?;
    let policy = policy(&config, args)?;
    show::out(&output::text(&policy)?)?;
    if args.account == ACCOUNT {
        show::note("put the account's id for ACCOUNT, or give --account");
    }
    Ok(exit::OK)
}

/// What stands for an account that nobody named.
pub(crate) const ACCOUNT: &str = "ACCOUNT";

fn policy(config: &Config, args: &IamArgs) -> Result<Value> {
    let access: Access = serde_json::from_str(ACCESS)
        .map_err(|error| Error::invalid(format!("the list of models by region is broken: {error}")))?;
    let place = Place { region: &args.region, account: &args.account };
    let models = models(&access, config, &args.models)?;
    let mut statements = place.invoking(&access, &models)?;
    statements.extend(place.rows(config));
    statements.extend(place.files(config, &args.buckets));
    Ok(json!({ "Version": "2012-10-17", "Statement": statements }))
}

/// The models as (scope, base id): those that the tiers ask, or those of the given families and ids.
fn models(access: &Access, config: &Config, given: &[String]) -> Result<Vec<(String, String)>> {
    let Reach::Profile(own) = config.policy.reach else {
        return Err(Error::invalid("the Messages API needs no IAM policy: iam is for provider bedrock"));
    };
    let (own, catalogue) = (own.as_str(), config.policy.catalogue);
    let asked = &scope(access, own)?.models;
    let of = |name: &String| (own.to_owned(), name.clone());
    if given.is_empty() {
        return Ok(asked.iter().map(of).collect());
    }
    let mut chosen = Vec::new();
    for name in given {
        match name.parse::<Family>() {
            Ok(family) => chosen.extend(asked.iter().filter(|model| is_of(model, family, catalogue)).map(of)),
            Err(_) => chosen.push(single(name, own, catalogue)?),
        }
    }
    if chosen.is_empty() {
        return Err(Error::invalid(format!("scope {own} has no model of {}", given.join(","))));
    }
    Ok(chosen)
}

fn is_of(model: &str, family: Family, catalogue: &Catalogue) -> bool {
    let card = ModelId::new(model).ok().and_then(|id| catalogue.find(&id));
    card.is_some_and(|card| card.family == family)
}

/// One id: with its own profile's scope, else with the caller's.
fn single(name: &str, own: &str, catalogue: &Catalogue) -> Result<(String, String)> {
    let id = ModelId::new(name)?;
    let card = catalogue.find(&id);
    let scope = id.scope().map_or(own.to_owned(), |scope| scope.as_str().to_owned());
    let base = match card {
        Some(card) => card.bedrock_id.to_owned(),
        None => name.strip_prefix(&format!("{scope}.")).unwrap_or(name).to_owned(),
    };
    Ok((scope, base))
}

fn scope<'a>(access: &'a Access, name: &str) -> Result<&'a Scope> {
    access.scopes.get(name).ok_or_else(|| {
        let known: Vec<&str> = access.scopes.keys().map(String::as_str).collect();
        Error::invalid(format!("profile scope {name}: regions are known for {}", known.join(", ")))
    })
}

/// Where the resources are.
struct Place<'a> {
    region: &'a str,
    account: &'a str,
}

impl Place<'_> {
    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }

    /// Profiles, and the model behind each in every region that the profile sends to.
    fn invoking(&self, access: &Access, models: &[(String, String)]) -> Result<Vec<Statement>> {
        let (mut all, mut profiles) = (Vec::new(), Vec::new());
        for (name, model) in models {
            let profile = self.arn("bedrock", &format!("inference-profile/{name}.{model}"));
            all.push(profile.clone());
            profiles.push(profile);
            for region in &scope(access, name)?.regions {
                let region = region.replace("${region}", self.region);
                all.push(format!("arn:aws:bedrock:{region}::foundation-model/{model}"));
            }
        }
        let invoke = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream", "bedrock:CountTokens"];
        Ok(vec![
            allow("InvokeStreams", &invoke, all),
            allow("FindProfiles", &["bedrock:GetInferenceProfile"], profiles),
        ])
    }

    fn rows(&self, config: &Config) -> Vec<Statement> {
        let table = |name: &str| self.arn("dynamodb", &format!("table/{name}"));
        let results = table(&config.table_name);
        let index = format!("{results}/index/language-index");
        let rows = ["dynamodb:GetItem", "dynamodb:UpdateItem"];
        let services = ["dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query"];
        vec![
            allow("Results", &["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"], vec![results]),
            allow("ListResults", &["dynamodb:Query"], vec![index]),
            allow("State", &rows, vec![table(&config.state_table)]),
            allow("Services", &services, vec![table(&config.service_table)]),
        ]
    }

    /// The results bucket, and after it the service creator's.
    fn files(&self, config: &Config, given: &[String]) -> Vec<Statement> {
        let usual = || format!("claude-code-workshop-{}", self.account);
        let results = given.first().cloned().or_else(|| config.bucket_name.clone()).unwrap_or_else(usual);
        let services = given.get(1).unwrap_or(&config.service_bucket);
        let bucket = |name: &str| format!("arn:aws:s3:::{name}");
        let below = ["generated-code", "cache"].map(|prefix| format!("{}/{prefix}/*", bucket(&results)));
        let files = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"];
        let lists = ["s3:ListBucket", "s3:ListBucketVersions"];
        vec![
            allow("ResultFiles", &files, below.into()),
            allow("ListResultFiles", &lists, vec![bucket(&results)]),
            allow("ServiceFiles", &files, vec![format!("{}/*", bucket(services))]),
            allow("ListServiceFiles", &lists, vec![bucket(services)]),
        ]
    }
}

fn allow(sid: &'static str, action: &[&'static str], resource: Vec<String>) -> Statement {
    Statement { sid, effect: "Allow", action: action.to_vec(), resource }
}
