//! Principal of an authorizer: claims of the gateway's event, as the name of a scope.

use std::collections::HashMap;

use lambda_http::aws_lambda_events::apigw::{
    ApiGatewayProxyRequestContext, ApiGatewayRequestAuthorizerIamDescription,
};
use lambda_http::request::RequestContext;
use serde_json::Value;

/// The session name of everybody who comes with credentials of an identity pool.
const OF_A_POOL: &str = "CognitoIdentityCredentials";

/// Whom the gateway vouches for: a user of an identity pool, an IAM principal, a user of a token's issuer, what a custom
/// authorizer says of the caller under `claim`, else the id of an API key. The key's value is never used, and nothing is
/// read from headers: those are the caller's own words.
pub(crate) fn principal(context: &RequestContext, claim: &str) -> Option<String> {
    match context {
        RequestContext::ApiGatewayV1(context) => of_rest(context, claim),
        RequestContext::ApiGatewayV2(context) => {
            let authorizer = context.authorizer.as_ref()?;
            let of_token = || of_claims(|name| authorizer.jwt.as_ref()?.claims.get(name).map(String::as_str));
            match &authorizer.iam {
                Some(iam) => of_iam(iam),
                None => of_token().or_else(|| custom(&authorizer.fields, claim)),
            }
        }
        _ => None,
    }
}

fn of_rest(context: &ApiGatewayProxyRequestContext, claim: &str) -> Option<String> {
    let identity = &context.identity;
    let user = identity.cognito_identity_id.as_deref();
    if user.is_some() || identity.user_arn.is_some() {
        return named(user, identity.user_arn.as_deref());
    }
    let fields = &context.authorizer.fields;
    // With an authorizer in front an API key only meters: all callers of an application share it.
    match fields.get("claims") {
        Some(claims) => of_claims(|name| claims.get(name)?.as_str()),
        None if fields.is_empty() => identity.api_key_id.as_ref().map(|id| format!("key:{id}")),
        None => custom(fields, claim),
    }
}

/// Issuer and subject of a verified token: a subject is unique for its issuer alone.
fn of_claims<'c>(claim: impl Fn(&str) -> Option<&'c str>) -> Option<String> {
    let of = |name: &str| claim(name).filter(|value| !value.is_empty());
    let (issuer, subject) = (of("iss")?, of("sub")?);
    Some(format!("jwt:{}:{issuer}:{subject}", issuer.len()))
}

/// What a custom authorizer says of the caller.
fn custom(fields: &HashMap<String, Value>, claim: &str) -> Option<String> {
    let value = match fields.get(claim)? {
        Value::String(text) if !text.is_empty() => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(format!("authorizer:{}:{claim}:{value}", claim.len()))
}

fn of_iam(iam: &ApiGatewayRequestAuthorizerIamDescription) -> Option<String> {
    let user = iam.cognito_identity.as_ref().and_then(|user| user.identity_id.as_deref());
    named(user, iam.user_arn.as_deref())
}

/// All users of an identity pool share a role and a session name: only their identity tells them apart, and who has
/// none (function URLs never tell it) is nobody.
fn named(user: Option<&str>, arn: Option<&str>) -> Option<String> {
    match (user.filter(|id| !id.is_empty()), arn) {
        (Some(id), _) => Some(format!("cognito:{id}")),
        (None, Some(arn)) if arn.rsplit('/').next() == Some(OF_A_POOL) => None,
        (None, Some(arn)) => Some(format!("iam:{}", without_session(arn))),
        (None, None) => None,
    }
}

/// The principal without its session's name, which whoever takes the role may choose: another one's too.
fn without_session(arn: &str) -> &str {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let is_session = resource.starts_with("assumed-role/") || resource.starts_with("federated-user/");
    match arn.rsplit_once('/') {
        Some((principal, _)) if is_session => principal,
        _ => arn,
    }
}
