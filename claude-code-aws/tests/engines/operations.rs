//! The list of the twin's operations in docs/ is the one that its code has.

const DOC: &str = include_str!("../../../docs/twin-operations.md");
const DYNAMODB: &str = include_str!("../../src/local/storage/dynamodb.rs");
const S3: &str = include_str!("../../src/local/s3/api.rs");
const CONTROL: &str = include_str!("../../src/local/bedrock/control/request.rs");
const STS: &str = include_str!("../../src/local/server/sts.rs");

/// Names in quotes at the head of a match arm, as operations of AWS are spelt.
fn arms(source: &str) -> Vec<String> {
    let lines = source.lines().map(str::trim).filter(|line| line.contains("=>"));
    let heads = lines.filter_map(|line| line.split_once("=>")).map(|(head, _)| head);
    let mut names: Vec<String> = heads
        .flat_map(|head| head.split('"').skip(1).step_by(2))
        .filter(|name| {
            name.len() > 3 && name.starts_with(char::is_uppercase) && name.chars().all(char::is_alphanumeric)
        })
        .filter(|name| name.chars().any(char::is_lowercase))
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

/// `async fn list_objects_v2(` is ListObjectsV2.
fn functions(source: &str) -> Vec<String> {
    let camel = |name: &str| {
        let word = |word: &str| word[..1].to_uppercase() + &word[1..];
        name.split('_').map(word).collect::<String>()
    };
    let names = source.lines().filter_map(|line| line.trim().strip_prefix("async fn ")?.split('(').next());
    let mut names: Vec<String> = names.map(camel).collect();
    names.sort();
    names
}

/// The names of Operation's `name`.
fn named(source: &str) -> Vec<String> {
    let body = source.split_once("fn name(&self)").unwrap().1;
    let mut names: Vec<String> = body.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    names.retain(|name| name.starts_with(char::is_uppercase) && name.chars().all(char::is_alphanumeric));
    names.sort();
    names.dedup();
    names
}

#[test]
fn the_documented_operations_are_those_that_there_are() {
    let services = [
        ("DynamoDB", arms(DYNAMODB)),
        ("S3", functions(S3)),
        ("Bedrock control plane", named(CONTROL)),
        ("STS", arms(STS)),
    ];
    for (service, names) in services {
        assert!(names.len() > 2, "{service}: {names:?}");
        let line = format!("{service}: {}", names.join(", "));
        assert!(DOC.lines().any(|known| known == line), "docs/twin-operations.md lacks the line\n{line}");
    }
}
