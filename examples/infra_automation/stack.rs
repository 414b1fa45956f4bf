//! What a template declares: resources by kind, name and line, from CloudFormation, Terraform or CDK in TypeScript.

use clap::ValueEnum;
use claude_code_aws::CodeFile;

use crate::braces::{self, Call};
use crate::node::{Node, Value};
use crate::yaml;

/// The language that infrastructure is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dialect {
    Cloudformation,
    Terraform,
    Cdk,
}

impl Dialect {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Dialect::Cloudformation => "cloudformation",
            Dialect::Terraform => "terraform",
            Dialect::Cdk => "cdk",
        }
    }

    fn is_source(self, path: &str) -> bool {
        match self {
            Dialect::Cloudformation => {
                [".yaml", ".yml", ".json", ".template"].iter().any(|end| path.ends_with(end))
            }
            Dialect::Terraform => path.ends_with(".tf"),
            Dialect::Cdk => path.ends_with(".ts") && !path.ends_with(".d.ts"),
        }
    }
}

/// One resource.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) name: String,
    /// `AWS::S3::Bucket`, `aws_s3_bucket`, `s3.Bucket`.
    pub(crate) kind: String,
    pub(crate) properties: Node,
    /// All of it: beside its properties what CloudFormation says of it.
    pub(crate) whole: Node,
}

/// What the files declare.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stack {
    pub(crate) resources: Vec<Resource>,
    /// Calls of methods in CDK: `addIngressRule`, `grantPublicAccess`.
    pub(crate) calls: Vec<(String, Call)>,
    /// What could not be read: file, line, why.
    pub(crate) unread: Vec<(String, u32, String)>,
}

impl Stack {
    /// Reads the files of a dialect; others are no part of it.
    pub(crate) fn of(dialect: Dialect, files: &[CodeFile]) -> Self {
        let mut stack = Stack::default();
        for file in files {
            let Some(path) = file.path.as_deref().filter(|path| dialect.is_source(path)) else { continue };
            match dialect {
                Dialect::Cloudformation => stack.read_template(path, &file.content),
                Dialect::Terraform => stack.read_terraform(path, &file.content),
                Dialect::Cdk => stack.read_cdk(path, &file.content),
            }
        }
        stack
    }

    fn read_template(&mut self, path: &str, text: &str) {
        if !text.contains("Resources") {
            return;
        }
        let root = match yaml::parse(text) {
            Ok(root) => root,
            Err((line, why)) => return self.unread.push((path.to_owned(), line, why)),
        };
        let empty = Node::map(1, Vec::new());
        for (name, node) in root.get("Resources").map(Node::entries).unwrap_or_default() {
            let kind = node.get("Type").and_then(Node::as_text).unwrap_or_default().to_owned();
            let properties = node.get("Properties").unwrap_or(&empty).clone();
            let (file, name) = (path.to_owned(), name.clone());
            self.resources.push(Resource {
                file,
                line: node.line,
                name,
                kind,
                properties,
                whole: node.clone(),
            });
        }
    }

    fn read_terraform(&mut self, path: &str, text: &str) {
        let root = braces::terraform(text);
        for (key, node) in root.entries() {
            let labels: Vec<&str> = node.at("labels").iter().filter_map(|label| label.as_text()).collect();
            let (kind, name) = match (key.as_str(), labels.as_slice()) {
                ("resource", [kind, name]) => ((*kind).to_owned(), (*name).to_owned()),
                ("data", [kind, name]) if *kind == "aws_iam_policy_document" => {
                    (format!("data.{kind}"), (*name).to_owned())
                }
                _ => continue,
            };
            let file = path.to_owned();
            let (properties, whole) = (node.clone(), node.clone());
            self.resources.push(Resource { file, line: node.line, name, kind, properties, whole });
        }
    }

    fn read_cdk(&mut self, path: &str, text: &str) {
        for call in braces::calls(text) {
            let is_construct = call.is_new && call.name.contains('.');
            if !is_construct {
                self.calls.push((path.to_owned(), call));
                continue;
            }
            let name = call.arguments.get(1).and_then(Node::as_text).unwrap_or_default().to_owned();
            let is_map = |node: &&Node| matches!(node.value, Value::Map(_));
            let properties = call.arguments.iter().rev().find(is_map).cloned();
            let properties = properties.unwrap_or_else(|| Node::map(call.line, Vec::new()));
            let (file, whole) = (path.to_owned(), properties.clone());
            self.resources.push(Resource { file, line: call.line, name, kind: call.name, properties, whole });
        }
    }

    /// The resources of a kind.
    pub(crate) fn of_kind<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = &'s Resource> {
        self.resources.iter().filter(move |resource| resource.kind == kind)
    }
}
