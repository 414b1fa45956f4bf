//! What is erased is gone: from the table, from the bucket with its versions, from the cache.

use std::sync::Arc;

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use claude_code_aws::clock::SystemClock;
use claude_code_aws::local::{BUCKET, Twin};
use claude_code_aws::testing::{Script, ScriptedProvider};
use claude_code_aws::{Client, GenerateRequest};

use super::faulty::{Fault, Faulty, Plan};
use super::{HandClock, builder, results, state, twin};

const TWO: &str = "```python app/main.py\nimport app\n```\n\n```markdown README.md\n# App\n```\n";

async fn versioned(twin: &Twin) {
    let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let put = twin.s3_client().put_bucket_versioning().bucket(BUCKET).versioning_configuration(on);
    put.send().await.unwrap();
}

/// How many versions and how many delete markers there are.
async fn left(twin: &Twin) -> (usize, usize) {
    let listed = twin.s3_client().list_object_versions().bucket(BUCKET).send().await.unwrap();
    (listed.versions().len(), listed.delete_markers().len())
}

fn request(n: usize) -> GenerateRequest {
    GenerateRequest::new(format!("an application {n} ").repeat(200)).with_model("haiku").without_validation()
}

fn host(twin: &Twin, provider: &Arc<ScriptedProvider>, seed: u64) -> Client {
    builder(provider.clone(), Arc::new(SystemClock), seed)
        .with_state(state(twin))
        .with_store(Arc::new(results(twin, &HandClock::now())))
        .build()
}

#[tokio::test]
async fn an_erased_result_leaves_no_version_behind_and_is_served_to_nobody() {
    // Short answers are in the cache's row, long ones in the bucket.
    for lines in [1, 8_000] {
        let (_dir, twin) = twin().await;
        versioned(&twin).await;
        let text = format!("{TWO}\n```python long.py\n{}```\n", "x = 1  # a line of it\n".repeat(lines));
        let provider = ScriptedProvider::new([Script::answer(&text)]);
        let (one, two) = (host(&twin, &provider, 1), host(&twin, &provider, 2));
        let g = one.generate(request(1)).await.unwrap();
        assert!(
            g.stored && left(&twin).await.0 >= 5,
            "prompt, three files, manifest: {:?}",
            left(&twin).await
        );
        one.erase(&g.id).await.unwrap();
        assert_eq!(left(&twin).await, (0, 0));
        let again = two.generate(request(1)).await.unwrap();
        assert!(again.cached.is_none() && again.id != g.id);
    }
}

#[tokio::test]
async fn a_role_that_may_not_list_versions_leaves_markers_over_them() {
    let (_dir, twin) = twin().await;
    versioned(&twin).await;
    let faulty = Faulty::new(&twin);
    let provider = ScriptedProvider::new([Script::answer(TWO)]);
    let store = Arc::new(faulty.results(&twin));
    let client = builder(provider, Arc::new(SystemClock), 1).with_store(store).build();
    let g = client.generate(request(1)).await.unwrap();
    faulty.plan(Some(Plan { step: 0, fault: Fault::Status(403), times: usize::MAX }));
    client.erase(&g.id).await.unwrap();
    assert_eq!(faulty.steps(), ["versions"]);
    assert_eq!(left(&twin).await, (4, 4));
    let listed = twin.s3_client().list_objects_v2().bucket(BUCKET).send().await.unwrap();
    assert_eq!(listed.key_count(), Some(0));
}
