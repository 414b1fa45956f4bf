//! The choice of a lane, and the times that follow from a deadline.

use std::sync::Arc;
use std::time::Duration;

use claude_code_aws::batch::Lane;
use claude_code_aws::batch::plan::{Groups, Wish, choose, drain, hours};
use claude_code_core::testing::{Script, ScriptedProvider};
use claude_code_core::{Client, ClientBuilder, Policy};

use super::rig::tasks;

fn client(policy: Policy) -> Client {
    let provider = ScriptedProvider::new([Script::answer("")]);
    let (clock, ids) = (claude_code_aws::clock::SystemClock, claude_code_aws::clock::SystemIds);
    ClientBuilder::new(provider, Arc::new(clock), Arc::new(ids)).with_policy(policy).build()
}

/// The lane of so many requests and why.
fn chosen(policy: Policy, count: usize, model: Option<&str>, wish: &Wish) -> (bool, String) {
    let (client, mut groups) = (client(policy), Groups::default());
    for task in tasks(count) {
        let task = match model {
            Some(model) => task.with_model(model),
            None => task,
        };
        groups.note(&client.job_call(task).unwrap());
    }
    let choice = choose(groups.0.values().next().unwrap(), wish);
    (choice.in_jobs, choice.why)
}

/// Policy, requests, model, wish; whether they go in jobs, and a part of the reason.
type Case = (Policy, usize, Option<&'static str>, Wish, bool, &'static str);

#[test]
fn a_group_goes_in_jobs_only_where_it_can_and_where_that_is_known_to_be_cheaper() {
    let day = Some(Duration::from_secs(86_400));
    let wish = |lane, deadline| Wish { lane, deadline, no_jobs: None };
    let usual = Policy::default;
    let guarded = || Policy { guardrail: Some(("g".into(), "1".into())), ..usual() };
    let flex = || Policy { service_tier: Some("flex".into()), ..usual() };
    let no_role = Wish { no_jobs: Some("no role".into()), ..wish(Lane::BedrockBatch, day) };
    let cases: [Case; 10] = [
        (usual(), 100, None, wish(Lane::Auto, day), true, "half the price"),
        (usual(), 100, None, wish(Lane::OnDemand, day), false, "as asked for"),
        (usual(), 100, None, wish(Lane::Auto, None), false, "--deadline"),
        (usual(), 100, None, wish(Lane::BedrockBatch, None), true, "half the price"),
        (usual(), 99, None, wish(Lane::BedrockBatch, day), false, "at least 100"),
        (usual(), 100, None, wish(Lane::Auto, Some(Duration::from_secs(3_599))), false, "too short"),
        (usual(), 100, Some("haiku"), wish(Lane::Auto, day), false, "no batch price is known"),
        (usual(), 100, Some("haiku"), wish(Lane::BedrockBatch, day), true, "no batch price is known"),
        (guarded(), 100, None, wish(Lane::BedrockBatch, day), false, "guardrail"),
        (flex(), 100, None, wish(Lane::BedrockBatch, day), false, "service tier"),
    ];
    for (policy, count, model, wish, in_jobs, part) in cases {
        let (chosen, why) = chosen(policy, count, model, &wish);
        assert!(chosen == in_jobs && why.contains(part), "{wish:?}, {count}: {chosen}, {why}");
    }
    assert_eq!(chosen(usual(), 100, None, &no_role), (false, "no role".to_owned()));
}

#[test]
fn a_drain_has_half_a_minute_a_round_and_never_more_than_half_of_the_deadline() {
    let (hour, day) = (Duration::from_secs(3_600), Duration::from_secs(86_400));
    assert_eq!(drain(day, 150, 16), Duration::from_secs(300));
    assert_eq!(drain(day, 1_600, 16), Duration::from_secs(3_000));
    assert_eq!(drain(hour, 50_000, 16), hour / 2);
    assert_eq!(
        (hours(None), hours(Some(hour)), hours(Some(day * 2)), hours(Some(day * 30))),
        (24, 24, 48, 168)
    );
}
