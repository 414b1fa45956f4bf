//! The S3 store against simple models of it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use proptest::prelude::*;

use crate::support::{put, twin};

fn cases(default: u32) -> ProptestConfig {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: wanted.unwrap_or(default),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Keys that share beginnings and delimiters often.
fn key() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof!["a", "b", "/", "é", "-"], 1..6).prop_map(|parts| parts.concat())
}

/// What a listing of these keys should be, in one ordered set; groups end with the delimiter.
fn expected(keys: &BTreeSet<String>, prefix: &str, delimiter: Option<&str>, after: &str) -> BTreeSet<String> {
    let kept = keys.iter().filter(|key| key.starts_with(prefix) && key.as_str() > after);
    kept.map(|key| {
        let cut = delimiter
            .and_then(|delimiter| key[prefix.len()..].find(delimiter).map(|at| at + delimiter.len()));
        cut.map_or(key.clone(), |cut| key[..prefix.len() + cut].to_owned())
    })
    .collect()
}

async fn listed(s3: &Client, prefix: &str, delimiter: Option<&str>, after: &str, size: i32) -> Vec<String> {
    let request = s3.list_objects_v2().bucket("shelf").prefix(prefix).start_after(after).max_keys(size);
    let mut pages = request.set_delimiter(delimiter.map(str::to_owned)).into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.try_next().await.unwrap() {
        let mut entries: Vec<String> =
            page.contents().iter().map(|object| object.key().unwrap().to_owned()).collect();
        entries.extend(page.common_prefixes().iter().map(|group| group.prefix().unwrap().to_owned()));
        entries.sort();
        names.extend(entries);
    }
    names
}

/// One step in the life of a key.
#[derive(Clone, Debug)]
enum Step {
    Put,
    Delete,
    Remove(usize),
    Enable,
    Suspend,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Put),
        2 => Just(Step::Delete),
        3 => (0usize..6).prop_map(Step::Remove),
        2 => Just(Step::Enable),
        1 => Just(Step::Suspend),
    ]
}

/// The versions of one key as S3 documents them: oldest first, id and body (none = delete marker).
#[derive(Default)]
struct Model {
    versions: Vec<(String, Option<Vec<u8>>)>,
    status: Option<BucketVersioningStatus>,
}

impl Model {
    fn push(&mut self, id: Option<&str>, body: Option<Vec<u8>>) {
        let id =
            id.filter(|_| self.status == Some(BucketVersioningStatus::Enabled)).unwrap_or("null").to_owned();
        self.versions.retain(|(other, _)| *other != id);
        self.versions.push((id, body));
    }
}

async fn take(s3: &Client, model: &mut Model, at: usize, step: &Step) {
    match step {
        Step::Put => {
            let body = at.to_string().into_bytes();
            let done =
                s3.put_object().bucket("shelf").key("k").body(body.clone().into()).send().await.unwrap();
            model.push(done.version_id(), Some(body));
        }
        Step::Delete => {
            let done = s3.delete_object().bucket("shelf").key("k").send().await.unwrap();
            match model.status {
                None => model.versions.clear(),
                Some(_) => model.push(done.version_id(), None),
            }
        }
        Step::Remove(n) => {
            if let Some((id, _)) = model.versions.get(*n).cloned() {
                s3.delete_object().bucket("shelf").key("k").version_id(&id).send().await.unwrap();
                model.versions.remove(*n);
            }
        }
        Step::Enable | Step::Suspend => {
            let enable = matches!(step, Step::Enable);
            let status =
                if enable { BucketVersioningStatus::Enabled } else { BucketVersioningStatus::Suspended };
            let configuration = VersioningConfiguration::builder().status(status.clone()).build();
            let request = s3.put_bucket_versioning().bucket("shelf").versioning_configuration(configuration);
            request.send().await.unwrap();
            model.status = Some(status);
        }
    }
}

async fn agree(s3: &Client, model: &Model) {
    let got = s3.get_object().bucket("shelf").key("k").send().await;
    let body = match got {
        Ok(got) => Some(got.body.collect().await.unwrap().to_vec()),
        Err(_) => None,
    };
    assert_eq!(body, model.versions.last().and_then(|(_, body)| body.clone()));
    let listed = s3.list_object_versions().bucket("shelf").send().await.unwrap();
    let mut there: BTreeMap<String, bool> = BTreeMap::new();
    there.extend(
        listed.versions().iter().map(|v| (v.version_id().unwrap().to_owned(), v.is_latest().unwrap())),
    );
    there.extend(
        listed.delete_markers().iter().map(|v| (v.version_id().unwrap().to_owned(), v.is_latest().unwrap())),
    );
    let last = model.versions.len().wrapping_sub(1);
    let wanted = model.versions.iter().enumerate().map(|(at, (id, _))| (id.clone(), at == last)).collect();
    assert_eq!(there, wanted);
    for (id, body) in model.versions.iter().filter_map(|(id, body)| Some((id, body.as_ref()?))) {
        let got = s3.get_object().bucket("shelf").key("k").version_id(id).send().await.unwrap();
        assert_eq!(got.body.collect().await.unwrap().to_vec(), *body);
    }
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn a_listing_is_the_ordered_set_of_keys_and_groups(
        keys in proptest::collection::btree_set(key(), 0..25),
        prefix in "[ab/é]{0,2}",
        after in "[ab/é]{0,3}",
        delimiter in proptest::option::of(prop_oneof!["/", "a/"]),
        size in 1..6,
    ) {
        run(async {
            let twin = twin();
            let s3 = twin.bucket("shelf").await;
            for key in &keys {
                put(&s3, "shelf", key, b"x").await;
            }
            let wanted = expected(&keys, &prefix, delimiter.as_deref(), &after);
            let listed = listed(&s3, &prefix, delimiter.as_deref(), &after, size).await;
            assert_eq!(listed, wanted.into_iter().collect::<Vec<_>>());
        });
    }

    #[test]
    fn the_versions_of_a_key_follow_the_documented_rules(steps in proptest::collection::vec(step(), 1..20)) {
        run(async {
            let twin = twin();
            let s3 = twin.bucket("shelf").await;
            let mut model = Model::default();
            for (at, step) in steps.iter().enumerate() {
                take(&s3, &mut model, at, step).await;
            }
            agree(&s3, &model).await;
        });
    }
}
