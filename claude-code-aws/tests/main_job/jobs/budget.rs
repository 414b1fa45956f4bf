//! Money: a job's ceiling is held before it is made, and what it cost is booked once.

use claude_code_core::batch::BatchOptions;
use claude_code_core::{GenerateRequest, PicoUsd};

use super::rig::{Cut, Rig, cost, results, tasks};

#[tokio::test]
async fn the_whole_job_is_reserved_before_it_is_made() {
    let rig = Rig::new().await;
    let requests = tasks(120);
    rig.run_until(&requests, Cut::BeforeCreate).await;
    let half =
        |task: &GenerateRequest| rig.client().estimate(task.clone()).unwrap().worst_usd.known().0.div_ceil(2);
    assert_eq!(rig.budget().await, (0, requests.iter().map(half).sum()), "half of the price on demand");
    assert_eq!(rig.jobs().await, 0);
}

#[tokio::test]
async fn a_job_that_the_days_cap_does_not_allow_is_not_made_and_its_requests_go_as_far_as_the_cap_goes() {
    let mut rig = Rig::new().await;
    let one = rig.client().estimate(tasks(1)[0].clone()).unwrap().worst_usd.known().0;
    rig.cap = Some(PicoUsd(one * 30));
    let entries = rig.run(&tasks(120), rig.options()).await;
    assert_eq!(rig.jobs().await, 0);
    assert!(rig.told().contains("the day's cap is"), "{}", rig.told());
    let (spent, reserved) = rig.budget().await;
    assert!(reserved == 0 && spent > 0 && spent <= one * 30, "{spent}, {reserved}");
    assert!(entries.iter().any(|entry| entry.item.result.is_ok()));
}

#[tokio::test]
async fn the_cap_of_the_batch_holds_a_job_and_its_repairs() {
    let rig = Rig::new().await;
    let requests = tasks(120);
    let one = rig.client().estimate(requests[0].clone()).unwrap().worst_usd.known().0;
    // Room for the job, which is half the price, and not for all of it on demand.
    let mut options = rig.options();
    options.batch = BatchOptions::new(16).with_max_usd(Some(PicoUsd(one * 70)));
    let entries = rig.run(&requests, options.clone()).await;
    assert_eq!((rig.jobs().await, rig.asked()), (1, (120, 0)));
    assert!(results(&entries).iter().all(|answer| answer.accepted) && cost(&entries) <= one * 70);
    let rig = Rig::new().await;
    options = rig.options();
    options.batch = BatchOptions::new(16).with_max_usd(Some(PicoUsd(one * 50)));
    let entries = rig.run(&requests, options).await;
    assert_eq!(rig.jobs().await, 0);
    assert!(rig.told().contains("the batch's cap is"), "{}", rig.told());
    let spent: u64 = entries
        .iter()
        .filter_map(|entry| Some(entry.item.result.as_ref().ok()?.receipt.total().known().0))
        .sum();
    assert!(spent > 0 && spent <= one * 50);
}

#[tokio::test]
async fn a_model_without_a_batch_price_is_reserved_at_the_price_on_demand_and_its_receipts_are_unpriced() {
    let rig = Rig::new().await;
    let requests: Vec<_> = tasks(100).into_iter().map(|task| task.with_model("haiku")).collect();
    let call = rig.client().job_call(requests[0].clone()).unwrap();
    assert_eq!(call.ceiling, call.estimate.worst_usd);
    let entries = rig.run(&requests, rig.options()).await;
    assert_eq!(rig.jobs().await, 1);
    assert!(results(&entries).iter().all(|answer| !answer.receipt.total().is_priced()));
    let (spent, reserved) = rig.budget().await;
    assert!(spent > 0 && reserved == 0, "the price on demand is charged: {spent}, {reserved}");
}
