//! What goes wrong with jobs at the real service, on the twin: nothing is lost, nothing is paid twice.

use std::time::Duration;

use claude_code_aws::batch::Lane;
use claude_code_aws::batch::lane::{JobName, LaneError};
use claude_code_aws::local::{BatchFault, Reply};
use claude_code_core::GenerateRequest;

use super::rig::{Answers, Rig, cost, results, task, tasks};

const CREATE: &str = "CreateModelInvocationJob";
const GET: &str = "GetModelInvocationJob";

fn error(code: &str, status: u16, message: &str) -> Reply {
    Reply::Error { code: code.to_owned(), status, message: message.to_owned() }
}

/// Runs these requests and gives the questions in jobs and on demand. Each is answered and accepted.
async fn asked(rig: &Rig, requests: &[GenerateRequest]) -> (usize, usize) {
    let entries = rig.run(requests, rig.options()).await;
    assert_eq!(entries.len(), requests.len());
    assert!(results(&entries).iter().all(|answer| answer.accepted));
    rig.asked()
}

#[tokio::test]
async fn a_job_whose_create_was_not_answered_is_found_again_and_is_the_only_one() {
    let rig = Rig::new().await;
    rig.twin.script_job(BatchFault::LostReply);
    assert_eq!(asked(&rig, &tasks(100)).await, (100, 0));
    assert_eq!(rig.jobs().await, 1);
}

#[tokio::test]
async fn where_nobody_can_tell_whether_a_job_was_made_nothing_is_sent_in_its_place() {
    let rig = Rig::new().await;
    rig.twin.refuse_control(CREATE, 8, &error("InternalServerException", 500, "down"));
    let entries = rig.run(&tasks(100), rig.options()).await;
    let errors: Vec<String> =
        entries.iter().map(|entry| entry.item.result.as_ref().unwrap_err().message().to_owned()).collect();
    assert!(errors.iter().all(|message| message.contains("--resume looks again")), "{}", errors[0]);
    assert_eq!((rig.jobs().await, rig.asked()), (0, (0, 0)));
    // The next run finds out that there is none, and makes it.
    assert_eq!(asked(&rig, &tasks(100)).await, (100, 0));
    assert_eq!(rig.jobs().await, 1);
    assert_eq!(rig.budget().await.1, 0, "nothing stays reserved");
}

#[tokio::test]
async fn a_job_below_the_minimum_of_the_account_falls_back_and_nothing_is_lost() {
    let rig = Rig::new().await;
    rig.twin.script_job(BatchFault::Minimum(200));
    assert_eq!(asked(&rig, &tasks(100)).await, (0, 100));
    assert!(rig.told().contains("less records (100) than the required minimum of: 200"), "{}", rig.told());
    assert_eq!(rig.budget().await.1, 0);
}

#[tokio::test]
async fn the_minimum_is_counted_after_repeats_and_cache_hits() {
    let rig = Rig::new().await;
    rig.run(&tasks(10), rig.options()).await;
    std::fs::remove_file(rig.dir.path().join("journal.jsonl")).unwrap();
    let mut requests = tasks(105);
    requests.extend(tasks(50));
    assert_eq!(asked(&rig, &requests).await, (0, 105), "95 are left: too few for a job");
    assert!(rig.told().contains("95 requests by on-demand"), "{}", rig.told());
    assert_eq!(rig.jobs().await, 0);
}

#[tokio::test]
async fn a_completed_job_all_of_whose_records_failed_is_no_success() {
    let rig = Rig::new().await;
    rig.twin.script_job(BatchFault::RecordErrors("anthropic_version: Field required".into()));
    assert_eq!(asked(&rig, &tasks(100)).await, (0, 100));
    assert!(
        rig.told().contains("0 of 100 records answered (100 failed; 400: anthropic_version"),
        "{}",
        rig.told()
    );
}

#[tokio::test]
async fn missing_torn_repeated_and_unknown_lines_cost_no_answer_and_give_none() {
    let faults = [
        (BatchFault::Missing(10), 10),
        (BatchFault::Torn, 1),
        (BatchFault::Repeated, 0),
        (BatchFault::Unknown, 0),
    ];
    for (fault, lacking) in faults {
        let rig = Rig::new().await;
        rig.twin.script_job(fault.clone());
        assert_eq!(asked(&rig, &tasks(100)).await, (100, lacking), "{fault:?}");
        let (spent, reserved) = rig.budget().await;
        assert!(spent > 0 && reserved == 0, "{fault:?}");
    }
}

#[tokio::test]
async fn what_a_partial_or_stopped_job_answered_is_kept_and_the_rest_is_sent() {
    // Half of the records are done when its time is over; of one that never began none.
    for (fault, step, expected) in
        [(BatchFault::Slow, 6 * 3_600, (50, 50)), (BatchFault::Hold, 6 * 3_600, (0, 100))]
    {
        let rig = Rig::new().await;
        rig.twin.script_job(fault.clone());
        let drive = {
            let lane = rig.lane.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                *lane.step.lock().unwrap() = Duration::from_secs(step);
            }
        };
        let requests = tasks(100);
        let (asked, ()) = tokio::join!(asked(&rig, &requests), drive);
        assert_eq!(asked, expected, "{fault:?}");
        assert_eq!(rig.budget().await.1, 0, "{fault:?}");
    }
}

#[tokio::test]
async fn at_the_deadline_a_job_is_stopped_read_and_drained_on_demand() {
    let rig = Rig::new().await;
    rig.twin.script_job(BatchFault::Slow);
    rig.twin.refuse_control(GET, 3, &Reply::throttled());
    let mut options = rig.options();
    // The job runs within some looks, and then runs for ever.
    options.cutoff_after = Some(Duration::from_secs(3));
    let entries = rig.run(&tasks(100), options).await;
    assert!(results(&entries).iter().all(|answer| answer.accepted));
    assert_eq!(rig.asked(), (50, 50));
    assert!(rig.told().contains("is stopped: the deadline is near"), "{}", rig.told());
    let (spent, reserved) = rig.budget().await;
    assert_eq!((spent, reserved), (cost(&entries), 0));
}

#[tokio::test]
async fn cut_answers_of_a_job_are_resumed_and_rejected_ones_repaired_on_demand() {
    let cut = ["```python a.py\nx = [1,\n…", "     2]\n```"];
    let bad = ["```python a.py\nx = = 1\n```", "```python a.py\nx = 1\n```"];
    let rig = Rig::answering(Answers::default().with("task 0001", &cut).with("task 0002", &bad)).await;
    let entries = rig.run(&tasks(100), rig.options()).await;
    let answers = results(&entries);
    assert!(answers.iter().all(|answer| answer.accepted), "{:?}", answers[1].diagnostics);
    let whys = |n: usize| answers[n].attempts.iter().map(|a| a.why.as_str()).collect::<Vec<_>>();
    assert_eq!((whys(1), whys(2)), (vec!["batch job", "resume"], vec!["batch job", "repair"]));
    assert_eq!(rig.asked(), (100, 2));
    assert_eq!(rig.budget().await, (cost(&entries), 0), "job and repairs are booked once");
}

#[tokio::test]
async fn a_refusal_at_create_and_a_failure_later_are_told_apart_and_both_fall_back() {
    let rig = Rig::new().await;
    rig.twin.refuse_control(CREATE, 1, &error("AccessDeniedException", 403, "iam:PassRole on resource"));
    assert_eq!(asked(&rig, &tasks(100)).await, (0, 100));
    assert!(rig.told().contains("CreateModelInvocationJob: AccessDeniedException"), "{}", rig.told());
    assert_eq!((rig.jobs().await, rig.budget().await.1), (0, 0));
    let rig = Rig::new().await;
    let why = "Could not validate ListBucket permissions for S3URI: s3://batches/";
    rig.twin.script_job(BatchFault::Fail(why.into()));
    assert_eq!(asked(&rig, &tasks(100)).await, (0, 100));
    assert!(rig.told().contains("is failed") && rig.told().contains(why), "{}", rig.told());
}

#[tokio::test]
async fn a_refused_model_is_not_asked_for_a_second_job() {
    let rig = Rig::new().await;
    let refused = error("ValidationException", 400, "The provided model identifier is invalid");
    rig.twin.refuse_control(CREATE, 1, &refused);
    let mut options = rig.options();
    options.limits.records = 100;
    let entries = rig.run(&tasks(200), options).await;
    assert!(results(&entries).iter().all(|answer| answer.accepted));
    // The two are submitted side by side: the second may be on its way when the first is refused.
    assert!(rig.jobs().await <= 1, "{}", rig.told());
    let (in_jobs, alone) = rig.asked();
    assert_eq!(in_jobs + alone, 200);
}

#[tokio::test]
async fn a_job_that_has_ended_can_be_stopped_and_one_that_never_was_cannot_be_found() {
    let rig = Rig::new().await;
    asked(&rig, &tasks(100)).await;
    let client = aws_sdk_bedrock::Client::new(&rig.twin.sdk_config());
    let listed = client.list_model_invocation_jobs().send().await.unwrap();
    let arn = listed.invocation_job_summaries()[0].job_arn().to_owned();
    use claude_code_aws::batch::lane::BatchLane;
    assert!(rig.lane.stop(&arn).await.is_ok());
    let unknown = JobName { token: "t".into(), name: "none".into(), folder: "x/y".into() };
    assert!(matches!(rig.lane.look(&unknown, None).await, Ok(None)));
    let missing = rig.lane.inner.look(&unknown, Some("000000000000")).await;
    assert!(matches!(missing, Ok(None)), "{missing:?}");
    rig.twin.refuse_control(GET, 1, &Reply::throttled());
    assert!(matches!(rig.lane.look(&unknown, Some(&arn)).await, Err(LaneError::Busy(_))));
}

#[tokio::test]
async fn more_records_than_a_job_takes_are_several_jobs_and_a_full_queue_is_waited_for() {
    let rig = Rig::new().await;
    let full = error("ServiceQuotaExceededException", 400, "You have reached the limit");
    rig.twin.refuse_control(CREATE, 2, &full);
    let mut options = rig.options();
    options.limits.records = 150;
    let entries = rig.run(&tasks(400), options).await;
    assert!(results(&entries).iter().all(|answer| answer.accepted));
    assert_eq!((rig.jobs().await, rig.asked()), (3, (400, 0)));
    assert!(rig.told().contains("waits: "), "{}", rig.told());
}

#[tokio::test]
async fn the_file_of_a_job_has_no_more_bytes_than_it_may() {
    // As many bytes as all records have, cut in three: each job's file keeps within, and every record is in one of them.
    let rig = Rig::new().await;
    rig.run(&tasks(360), rig.options()).await;
    let whole: u64 = rig.files().await.iter().map(|(bytes, _)| bytes).sum();
    let rig = Rig::new().await;
    let mut options = rig.options();
    options.limits.bytes = whole / 3 + whole / 100;
    let bound = options.limits.bytes;
    let entries = rig.run(&tasks(360), options).await;
    assert!(results(&entries).iter().all(|answer| answer.accepted));
    let files = rig.files().await;
    assert!(files.len() == 3 && files.iter().all(|(bytes, _)| *bytes <= bound), "{files:?} of {bound}");
    let mut records: Vec<&String> = files.iter().flat_map(|(_, records)| records).collect();
    records.sort();
    records.dedup();
    assert_eq!((records.len(), rig.asked()), (360, (360, 0)));
}

#[tokio::test]
async fn without_a_deadline_or_a_batch_price_auto_stays_on_demand() {
    let rig = Rig::new().await;
    let mut options = rig.options();
    (options.wish.lane, options.wish.deadline) = (Lane::Auto, None);
    rig.run(&tasks(100), options).await;
    assert_eq!(rig.asked(), (0, 100));
    let rig = Rig::new().await;
    let mut options = rig.options();
    options.wish.lane = Lane::Auto;
    let unknown: Vec<_> = (0..100).map(|n| task(n).with_model("haiku")).collect();
    rig.run(&unknown, options).await;
    assert_eq!(rig.asked(), (0, 100));
    assert!(rig.told().contains("no batch price is known"), "{}", rig.told());
}
