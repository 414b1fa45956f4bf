//! Rules that look at more than one property: policies, ingress, secrets, reserved names, types, cycles.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use claude_code_aws::Diagnostic;

use crate::graph;
use crate::node::{Node, Value};
use crate::rules::finding;
use crate::stack::{Resource, Stack};

/// Kinds with their properties and types.
type Schema = HashMap<String, HashMap<String, String>>;

static SCHEMA: LazyLock<Schema> =
    LazyLock::new(|| serde_json::from_str(include_str!("schema.json")).unwrap_or_default());

/// Actions that know no narrower resource than `*`.
const ONLY_STAR: [&str; 7] = [
    "xray:",
    "ec2:Describe",
    "cloudwatch:PutMetricData",
    "sts:GetCallerIdentity",
    "ecr:GetAuthorizationToken",
    "s3:ListAllMyBuckets",
    "logs:DescribeLogGroups",
];
/// Variables that Lambda sets itself: a function that sets them is refused.
const RESERVED: [&str; 6] = [
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "_HANDLER",
];
/// Keys whose value is a secret.
const SECRET: [&str; 5] = ["password", "secret", "token", "apikey", "api_key"];

/// What is found in a stack.
pub(crate) fn check(stack: &Stack) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for resource in &stack.resources {
        statements(resource).into_iter().for_each(|statement| policy(resource, statement, &mut found));
        values(resource, &mut found);
        ingress(resource, &mut found);
        types(resource, &mut found);
        key_attributes(resource, &mut found);
    }
    for (file, call) in &stack.calls {
        let text = format!("{:?}", call.arguments);
        let is_open = call.name.ends_with(".addIngressRule") && text.contains("anyIpv");
        let is_web = text.contains("\"443\"") || text.contains("\"80\"") || text.contains("HTTPS");
        let fault = match call.name.rsplit('.').next() {
            Some("addIngressRule") if is_open && !is_web => {
                ("open-ingress", "everybody may connect: name who may")
            }
            Some("grantPublicAccess") => ("public-bucket", "everybody may read"),
            _ => continue,
        };
        found.push(applications::checks::error(
            Some(file),
            call.line,
            format!("[{}] `{}`: {}", fault.0, call.name, fault.1),
        ));
    }
    found.extend(graph::cycle(stack));
    found
}

/// Everything that allows something: statements of policies, in all three languages.
pub(crate) fn statements(resource: &Resource) -> Vec<&Node> {
    let mut found = Vec::new();
    resource.whole.walk("", &mut |_, node| {
        let has = |key: &str| node.get(key).is_some();
        let is_statement =
            (has("Action") || has("NotAction")) && has("Effect") || has("actions") || has("not_actions");
        let effect = node.get("Effect").or(node.get("effect")).and_then(Node::as_text).unwrap_or("Allow");
        if is_statement && (effect.ends_with("llow") || effect.ends_with("ALLOW")) {
            found.push(node);
        }
    });
    found
}

/// The actions of a statement.
pub(crate) fn actions(statement: &Node) -> Vec<&Node> {
    ["Action", "actions"].iter().flat_map(|key| statement.at(key)).collect()
}

fn policy(resource: &Resource, statement: &Node, found: &mut Vec<Diagnostic>) {
    // A key's own policy names the key by a star, and its administrators may do everything with it.
    let is_key = matches!(resource.kind.as_str(), "AWS::KMS::Key" | "aws_kms_key" | "kms.Key");
    let mut tell =
        |rule: &str, node: &Node, fault: &str| found.push(finding(rule, resource, node.line, fault));
    let actions = actions(statement);
    if let Some(star) = actions.iter().find(|action| is_star(action)).filter(|_| !is_key) {
        let text = star.as_text().unwrap_or_default();
        tell("star-action", star, &format!("it allows {text}: name the actions that are needed"));
    }
    for key in ["NotAction", "not_actions", "NotResource", "notResources"] {
        if let Some(node) = statement.get(key) {
            tell("not-action", node, &format!("{key} allows whatever is not named: name what is needed"));
        }
    }
    let may_star = actions.iter().all(|action| {
        action.as_text().is_some_and(|text| ONLY_STAR.iter().any(|begin| text.starts_with(begin)))
    });
    let resources = ["Resource", "resources"].iter().flat_map(|key| statement.at(key));
    if let Some(star) = resources.into_iter().find(|node| node.as_text() == Some("*"))
        && !may_star
        && !is_key
    {
        tell("star-resource", star, "it is allowed on every resource: name them");
    }
    let principal = statement.get("Principal").or(statement.get("principals"));
    let is_bounded = statement.get("Condition").or(statement.get("condition")).is_some();
    if let Some(node) = principal.filter(|node| is_everybody(node)).filter(|_| !is_bounded) {
        tell("public-principal", node, "everybody is allowed: name who, or add a condition");
    }
}

fn is_star(action: &Node) -> bool {
    action.as_text().is_some_and(|text| text == "*" || text.ends_with(":*"))
}

fn is_everybody(principal: &Node) -> bool {
    let mut is = false;
    principal.walk("", &mut |_, node| is |= node.as_text() == Some("*"));
    is
}

/// Secrets, reserved names, accounts and broad managed policies, wherever they stand.
fn values(resource: &Resource, found: &mut Vec<Diagnostic>) {
    let is_function =
        matches!(resource.kind.as_str(), "AWS::Lambda::Function" | "aws_lambda_function" | "lambda.Function");
    resource.properties.walk("", &mut |key, node| {
        let mut tell = |rule: &str, fault: String| found.push(finding(rule, resource, node.line, &fault));
        if is_function && RESERVED.contains(&key) {
            tell("reserved-variable", format!("{key} is set by Lambda itself: take another name"));
        }
        let Value::Text(text) = &node.value else { return };
        let lower = key.to_ascii_lowercase();
        let is_plain = !text.is_empty()
            && !text.starts_with("{{resolve:")
            && !text.contains("${")
            && !matches!(text.as_str(), "true" | "false" | "null");
        // The token of a custom resource is who serves it: an ARN.
        let is_address = text.starts_with("arn:") || key == "ServiceToken";
        if SECRET.iter().any(|end| lower.ends_with(end)) && is_plain && !is_address {
            tell("plain-secret", format!("{key} holds a secret in plain text: refer to a secret store"));
        }
        if text.contains("policy/AdministratorAccess")
            || text.contains("policy/PowerUserAccess")
            || text.ends_with("FullAccess")
        {
            tell("broad-policy", format!("{text} allows far more than a stack needs"));
        }
        if account(text) {
            tell("fixed-account", format!("{text} names an account: take the account of the deployment"));
        }
    });
}

/// Whether a text is an ARN with an account's number in it.
fn account(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let is_number = |part: &&str| part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit());
    text.starts_with("arn:") && parts.get(4).is_some_and(is_number)
}

/// Ingress from everywhere to anything but the web's own ports.
fn ingress(resource: &Resource, found: &mut Vec<Diagnostic>) {
    let groups: Vec<&Node> = match resource.kind.as_str() {
        "AWS::EC2::SecurityGroup" => resource.properties.at("SecurityGroupIngress"),
        "AWS::EC2::SecurityGroupIngress" => vec![&resource.properties],
        "aws_security_group" => {
            let blocks = resource.properties.entries().iter().filter(|(key, _)| key == "ingress");
            blocks.flat_map(|(_, node)| node.items()).collect()
        }
        "aws_vpc_security_group_ingress_rule" => vec![&resource.properties],
        _ => return,
    };
    for group in groups {
        let sources = ["CidrIp", "CidrIpv6", "cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6"];
        let open = sources
            .iter()
            .flat_map(|key| group.at(key))
            .find(|node| matches!(node.as_text(), Some("0.0.0.0/0" | "::/0")));
        let port = |keys: [&str; 2]| keys.iter().find_map(|key| group.get(key)?.as_text());
        let ports = (port(["FromPort", "from_port"]), port(["ToPort", "to_port"]));
        let is_web = matches!(ports, (Some(from), Some(to)) if from == to && matches!(from, "80" | "443"));
        if let Some(node) = open.filter(|_| !is_web) {
            found.push(finding("open-ingress", resource, node.line, "everybody may connect: name who may"));
        }
    }
}

/// Properties that the kind does not have, and values of another type.
fn types(resource: &Resource, found: &mut Vec<Diagnostic>) {
    let Some(known) = SCHEMA.get(&resource.kind) else { return };
    // A function may stand for properties.
    let named = resource.properties.entries().iter().filter(|(name, _)| !name.starts_with("Fn::"));
    for (name, node) in named {
        let Some(wanted) = known.get(name) else {
            let near =
                known.keys().filter(|key| distance(key, name) <= 3).min_by_key(|key| distance(key, name));
            let hint = near.map_or(String::new(), |key| format!("; did you mean {key}?"));
            found.push(finding(
                "unknown-property",
                resource,
                node.line,
                &format!("there is no property {name}{hint}"),
            ));
            continue;
        };
        let is_function = node.entries().iter().any(|(key, _)| key == "Ref" || key.starts_with("Fn::"));
        let fits = match (&node.value, wanted.as_str()) {
            _ if is_function => true,
            (Value::Text(text), "boolean") => matches!(text.as_str(), "true" | "false"),
            (Value::Text(text), "number") => text.parse::<f64>().is_ok(),
            (Value::Text(_), wanted) => wanted == "string",
            (Value::List(_), wanted) => wanted == "list",
            (Value::Map(_), wanted) => wanted == "map",
            (Value::Expression(_), _) => true,
        };
        if !fits {
            found.push(finding("wrong-type", resource, node.line, &format!("{name} is no {wanted}")));
        }
    }
}

/// Edits between two names, for a hint.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let new = (before + usize::from(left != *right)).min(row[j] + 1).min(row[j + 1] + 1);
            before = std::mem::replace(&mut row[j + 1], new);
        }
    }
    row[b.len()]
}

/// Every key of a table is one of its attributes.
fn key_attributes(resource: &Resource, found: &mut Vec<Diagnostic>) {
    if resource.kind != "AWS::DynamoDB::Table" {
        return;
    }
    let properties = &resource.properties;
    // What a function gives is not known here.
    let mut is_open = false;
    if let Some(definitions) = properties.get("AttributeDefinitions") {
        definitions.walk("", &mut |key, _| is_open |= key.starts_with("Fn::") || key == "Ref");
    }
    if is_open {
        return;
    }
    let named = properties.at("AttributeDefinitions.AttributeName");
    let named: HashSet<&str> = named.iter().filter_map(|node| node.as_text()).collect();
    for path in ["KeySchema.AttributeName", "GlobalSecondaryIndexes.KeySchema.AttributeName"] {
        for key in properties.at(path) {
            let Some(name) = key.as_text().filter(|name| !named.contains(name)) else { continue };
            let fault = format!("the key {name} is not among the AttributeDefinitions");
            found.push(finding("key-attribute", resource, key.line, &fault));
        }
    }
}
