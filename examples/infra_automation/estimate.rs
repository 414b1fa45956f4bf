//! The plan that a person accepts: resources, what they may do, who can reach them, what they cost when idle.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use claude_code_aws::Diagnostic;
use serde::Deserialize;

use crate::node::Node;
use crate::policy;
use crate::stack::{Resource, Stack};

static PRICES: LazyLock<Prices> =
    LazyLock::new(|| serde_json::from_str(include_str!("prices.json")).unwrap_or_default());

#[derive(Default, Deserialize)]
struct Prices {
    note: String,
    fixed: HashMap<String, (f64, Vec<String>)>,
    by_use: Vec<String>,
    sized: HashMap<String, f64>,
    size_paths: Vec<String>,
}

/// What faces the internet by its kind.
const FACING: [&str; 12] = [
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGatewayV2::Api",
    "AWS::Lambda::Url",
    "AWS::CloudFront::Distribution",
    "AWS::EC2::EIP",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "aws_api_gateway_rest_api",
    "aws_lambda_function_url",
    "aws_cloudfront_distribution",
    "aws_eip",
    "aws_lb",
    "lambda.FunctionUrl",
];

/// The plan as text.
pub(crate) fn plan(stack: &Stack, warnings: &[Diagnostic]) -> String {
    let width = |part: fn(&Resource) -> &str| {
        stack.resources.iter().map(|r| part(r).chars().count()).max().unwrap_or(0)
    };
    let (kind, name) = (width(|r| &r.kind), width(|r| &r.name));
    let mut text = format!("plan: {} resources\n", stack.resources.len());
    for resource in &stack.resources {
        let Resource { kind: what, name: who, file, line, .. } = resource;
        text.push_str(&format!("  {what:kind$}  {who:name$}  {file}:{line}\n"));
    }
    let actions = actions(stack);
    text.push_str(&format!("allowed actions: {}\n", listed(&actions)));
    let facing: BTreeSet<&str> = stack
        .resources
        .iter()
        .filter(|r| FACING.contains(&r.kind.as_str()))
        .map(|r| r.name.as_str())
        .collect();
    text.push_str(&format!(
        "reachable from the internet: {}\n",
        listed(&facing.into_iter().collect::<Vec<_>>())
    ));
    text.push_str(&costs(stack));
    for warning in warnings {
        text.push_str(&format!("{warning}\n"));
    }
    text
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn actions(stack: &Stack) -> Vec<&str> {
    let statements = stack.resources.iter().flat_map(policy::statements);
    let texts = statements.flat_map(policy::actions).filter_map(Node::as_text);
    texts.filter(|text| text.contains(':')).collect::<BTreeSet<_>>().into_iter().collect()
}

/// What is paid for by the month, what by use, and what is not known.
fn costs(stack: &Stack) -> String {
    let (mut fixed, mut total): (BTreeMap<String, f64>, f64) = (BTreeMap::new(), 0.0);
    let mut unknown = BTreeSet::new();
    for resource in &stack.resources {
        match price(resource) {
            Some((what, usd)) => {
                *fixed.entry(what).or_default() += usd;
                total += usd;
            }
            None if is_free(resource) => {}
            None => {
                unknown.insert(resource.kind.as_str());
            }
        }
    }
    let parts: Vec<String> = fixed.iter().map(|(what, usd)| format!("{what} {usd:.2}")).collect();
    let parts = if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") };
    let unknown = listed(&unknown.into_iter().collect::<Vec<_>>());
    format!(
        "idle cost: about ${total:.2} a month ({parts}); price not known here: {unknown}\n  {}\n",
        PRICES.note
    )
}

fn price(resource: &Resource) -> Option<(String, f64)> {
    let sizes = PRICES.size_paths.iter().filter_map(|path| resource.properties.get(path)?.as_text());
    if let Some((size, usd)) = sizes.filter_map(|size| Some((size, PRICES.sized.get(size)?))).next() {
        return Some((size.to_owned(), *usd));
    }
    let mut fixed = PRICES.fixed.iter();
    fixed.find(|(_, (_, kinds))| kinds.contains(&resource.kind)).map(|(what, (usd, _))| (what.clone(), *usd))
}

/// Paid for by use, or not at all: policies, roles, settings of other resources.
fn is_free(resource: &Resource) -> bool {
    const SETTINGS: [&str; 9] = [
        "Policy",
        "_policy",
        "Role",
        "_role",
        "data.",
        "iam.",
        "aws_s3_bucket_",
        "Permission",
        "_permission",
    ];
    PRICES.by_use.contains(&resource.kind) || SETTINGS.iter().any(|part| resource.kind.contains(part))
}
