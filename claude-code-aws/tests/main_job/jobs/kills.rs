//! Kills: wherever a run ends, the next one submits nothing twice and is charged nothing twice.

use claude_code_aws::files::batch_journal::{Entry, Journal};
use claude_code_core::money::receipt::LineItem;
use futures_util::StreamExt;

use super::rig::{Cut, Rig, cost, results, with_repeats};

fn check(entries: &[Entry], place: &str) {
    assert_eq!(entries.len(), 250, "{place}");
    let indexes: Vec<usize> = entries.iter().map(|entry| entry.item.index).collect();
    assert_eq!(indexes, (0..250).collect::<Vec<_>>(), "{place}: every request has one result");
    assert!(results(entries).iter().all(|answer| answer.accepted), "{place}");
}

#[tokio::test]
async fn requests_with_repeats_go_in_one_job_of_the_distinct_ones_at_half_the_price() {
    let rig = Rig::new().await;
    let requests = with_repeats();
    let entries = rig.run(&requests, rig.options()).await;
    check(&entries, "unbroken");
    assert_eq!((rig.jobs().await, rig.asked()), (1, (150, 0)));
    let paid = results(&entries).iter().filter(|answer| answer.receipt.total().known().0 > 0).count();
    assert_eq!(paid, 150, "repeats cost nothing");
    let first = results(&entries)[0];
    assert_eq!(first.attempts[0].why, "batch job");
    let lines: Vec<LineItem> = first.receipt.items.iter().map(|item| item.what).collect();
    assert_eq!(lines, [LineItem::Input, LineItem::Output, LineItem::BatchDiscount]);
    let listed: i128 = first.receipt.items[..2].iter().map(|item| item.usd.unwrap().0).sum();
    assert_eq!(i128::from(first.receipt.total().known().0), listed - listed / 2);
    assert_eq!(rig.budget().await, (cost(&entries), 0), "settled from the usage, and released");
    assert!(rig.told().contains("150 requests by bedrock-batch"), "{}", rig.told());
    let again = rig.run(&requests, rig.options()).await;
    check(&again, "resumed");
    assert!(again.iter().all(|entry| entry.resumed));
    assert_eq!((rig.jobs().await, rig.asked()), (1, (150, 0)));
}

#[tokio::test]
async fn a_run_that_is_killed_anywhere_is_followed_by_one_that_submits_and_charges_nothing_twice() {
    let cuts = [
        Cut::BeforeReservation,
        Cut::AfterReservation,
        Cut::BeforeCreate,
        Cut::AfterCreate,
        Cut::WhilePolling,
        Cut::AfterOutputs,
        Cut::BeforeSettle,
        Cut::AfterSettle,
    ];
    for cut in cuts {
        let rig = Rig::new().await;
        let requests = with_repeats();
        rig.run_until(&requests, cut).await;
        let entries = rig.run(&requests, rig.options()).await;
        check(&entries, &format!("{cut:?}"));
        assert_eq!((rig.jobs().await, rig.asked()), (1, (150, 0)), "{cut:?}");
        let (spent, reserved) = rig.budget().await;
        let paid = cost(&entries);
        match cut {
            // Nobody can tell whether the addition was made: the ceiling stays held, as after every kill, and is charged once.
            Cut::AfterReservation => assert!(spent == paid && reserved > paid, "{cut:?}"),
            Cut::BeforeSettle => assert!(spent == 0 && reserved > paid, "{cut:?}"),
            _ => assert_eq!((spent, reserved), (paid, 0), "{cut:?}"),
        }
    }
}

#[tokio::test]
async fn a_run_that_is_killed_while_it_collects_goes_on_with_the_rest_of_the_same_job() {
    for after in [1, 40, 149] {
        let rig = Rig::new().await;
        let requests = with_repeats();
        let journal = Journal::open(&rig.dir.path().join("journal.jsonl")).unwrap();
        let client = rig.client();
        let source = requests.clone();
        let source: claude_code_aws::batch::Requests =
            std::sync::Arc::new(move || Ok(Box::new(source.clone().into_iter()) as Box<_>));
        let batch = claude_code_aws::batch::run(&client, journal, source, rig.options()).await.unwrap();
        let got: Vec<Entry> = batch.take(after).collect().await;
        assert_eq!(got.len(), after);
        let entries = rig.run(&requests, rig.options()).await;
        check(&entries, &format!("after {after}"));
        assert_eq!((rig.jobs().await, rig.asked()), (1, (150, 0)), "after {after}");
        assert_eq!(rig.budget().await, (cost(&entries), 0), "after {after}");
    }
}
