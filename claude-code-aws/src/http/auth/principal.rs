//! Whom the gateway vouches for, as the name of a scope.

use lambda_http::aws_lambda_events::apigw::{
    ApiGatewayProxyRequestContext, ApiGatewayRequestAuthorizerIamDescription,
};
use lambda_http::request::RequestContext;

/// The session name of everybody who comes with credentials of an identity pool.
const OF_A_POOL: &str = "CognitoIdentityCredentials";

/// Whom the gateway vouches for: a user of an identity pool, an IAM principal, else the id of an API key. The key's
/// value is never used.
pub(crate) fn principal(context: &RequestContext) -> Option<String> {
    match context {
        RequestContext::ApiGatewayV1(context) => of_rest(context),
        RequestContext::ApiGatewayV2(context) => of_iam(context.authorizer.as_ref()?.iam.as_ref()?),
        _ => None,
    }
}

fn of_rest(context: &ApiGatewayProxyRequestContext) -> Option<String> {
    let identity = &context.identity;
    let user = identity.cognito_identity_id.as_deref();
    if user.is_some() || identity.user_arn.is_some() {
        return named(user, identity.user_arn.as_deref());
    }
    identity.api_key_id.as_ref().map(|id| format!("key:{id}"))
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
