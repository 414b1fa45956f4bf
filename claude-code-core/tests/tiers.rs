//! The tier classifier on recorded tasks: how often it is right, and what its choices cost and give.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs)]

use claude_code_core::select::{Reach, Task, candidates, classify};
use claude_code_core::{Catalogue, ErrorKind, ProfileScope, Tier};
use proptest::prelude::*;

#[path = "support/corpus.rs"]
mod corpus;

/// A labelled task; `pass` is the chance that a model's answer is right.
#[derive(serde::Deserialize)]
struct Record {
    #[serde(default)]
    id: String,
    prompt: String,
    language: Option<String>,
    files: Option<u32>,
    code_lines: u32,
    tier: Tier,
    trap: bool,
    pass: Option<Pass>,
}

#[derive(Clone, Copy, serde::Deserialize)]
struct Pass {
    haiku: f64,
    sonnet: f64,
    opus: f64,
}

impl Record {
    fn task(&self, with_facts: bool) -> Task<'_> {
        let task =
            Task { prompt: &self.prompt, language: self.language.as_deref(), files: None, code_lines: 0 };
        if with_facts { Task { files: self.files, code_lines: self.code_lines, ..task } } else { task }
    }
}

impl Record {
    /// The recorded chances, or for tasks without any the recorded set's usual ones of their label.
    fn pass(&self) -> Pass {
        let usual = match self.tier {
            Tier::Simple => Pass { haiku: 0.94, sonnet: 0.97, opus: 0.985 },
            Tier::Medium => Pass { haiku: 0.69, sonnet: 0.93, opus: 0.965 },
            Tier::Complex => Pass { haiku: 0.23, sonnet: 0.63, opus: 0.9 },
        };
        self.pass.unwrap_or(usual)
    }
}

/// Costs per answer relative to Opus, and the part of wrong answers that validation catches (issue's figures).
const COST: [f64; 3] = [0.025, 0.5, 1.0];
const CAUGHT: f64 = 0.5;

/// The recorded tasks; without the large corpus our own, with the usual chances of their label.
fn recorded() -> Vec<Record> {
    let large = corpus::large("tiers.jsonl");
    let parsed = |records: Vec<_>| records.into_iter().map(|r| serde_json::from_value(r).unwrap()).collect();
    large.map_or_else(|| parse(include_str!("golden/tier_prompts.jsonl")), parsed)
}

fn parse(text: &str) -> Vec<Record> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The chance of a right answer and the expected cost of one task whose first send goes to a tier, when a caught
/// wrong answer escalates one tier, once.
fn expected(tier: Tier, pass: Pass) -> (f64, f64) {
    let chance = [pass.haiku, pass.sonnet, pass.opus];
    let at = tier as usize;
    let again = if at < 2 { (1.0 - chance[at]) * CAUGHT } else { 0.0 };
    let next = (at + 1).min(2);
    (chance[at] + again * chance[next], COST[at] + again * COST[next])
}

/// Right answers and cost per task of a policy, as parts of one.
fn simulate(records: &[Record], choose: impl Fn(&Record) -> Tier) -> (f64, f64) {
    let (right, cost) = records.iter().fold((0.0, 0.0), |sum, record| {
        let (right, cost) = expected(choose(record), record.pass());
        (sum.0 + right, sum.1 + cost)
    });
    let count = records.len() as f64;
    (right / count, cost / count)
}

fn accuracy<'a>(records: impl Iterator<Item = &'a Record>, with_facts: bool) -> String {
    let (mut right, mut all) = (0, 0);
    for record in records {
        all += 1;
        right += usize::from(classify(&record.task(with_facts)).tier == record.tier);
    }
    format!("{right}/{all} = {:.1} %", 100.0 * right as f64 / all as f64)
}

fn print_misses(records: &[Record]) {
    for record in records {
        for facts in [true, false] {
            let verdict = classify(&record.task(facts));
            if verdict.tier != record.tier {
                let start: String = record.prompt.chars().take(60).collect();
                println!(
                    "  {} facts={facts} {} but {} ({}) | {start}",
                    record.id, record.tier, verdict.why, verdict.score
                );
            }
        }
    }
}

#[test]
fn on_recorded_tasks_it_is_as_right_as_opus_at_two_thirds_of_the_cost() {
    let records = recorded();
    println!("{} records ran", records.len());
    print_misses(&records);
    for facts in [true, false] {
        println!("files and code_lines {}:", if facts { "known" } else { "unknown" });
        println!("  accuracy {}", accuracy(records.iter(), facts));
        println!("  traps {}", accuracy(records.iter().filter(|r| r.trap), facts));
        let (right, cost) = simulate(&records, |r| classify(&r.task(facts)).tier);
        println!("  policy: {:.2} % right at {:.1} % of always-Opus' cost", 100.0 * right, 100.0 * cost);
    }
    for tier in Tier::ALL {
        let (right, cost) = simulate(&records, |_| tier);
        println!("always {tier}, escalating: {:.2} % right at {:.1} %", 100.0 * right, 100.0 * cost);
        let alone: f64 =
            records.iter().map(|r| [r.pass().haiku, r.pass().sonnet, r.pass().opus][tier as usize]).sum();
        println!(
            "always {tier}, as it is: {:.2} % right at {:.1} %",
            100.0 * alone / records.len() as f64,
            100.0 * COST[tier as usize]
        );
    }
    let (opus, _) = simulate(&records, |_| Tier::Complex);
    for facts in [true, false] {
        let (right, cost) = simulate(&records, |r| classify(&r.task(facts)).tier);
        assert!(right >= opus - 0.02, "{right} against {opus}");
        assert!(cost <= 0.65, "{cost}");
    }
}

/// A guard against regressions, not a measure: the terms were extended after each of the five rounds in which these
/// tasks were written. On first sight, before that, the rounds gave 45/45, 32/52, 35/42, 18/26 and 12/20.
#[test]
fn keeps_its_verdicts_on_tasks_of_our_own() {
    let records = parse(include_str!("golden/tier_prompts.jsonl"));
    print_misses(&records);
    for facts in [true, false] {
        let (right, cost) = simulate(&records, |r| classify(&r.task(facts)).tier);
        let (opus, _) = simulate(&records, |_| Tier::Complex);
        println!(
            "policy: {:.2} % right (always-Opus {:.2} %) at {:.1} %",
            100.0 * right,
            100.0 * opus,
            100.0 * cost
        );
        println!(
            "facts {facts}: {}, traps {}",
            accuracy(records.iter(), facts),
            accuracy(records.iter().filter(|r| r.trap), facts)
        );
    }
    let right = records.iter().filter(|r| classify(&r.task(true)).tier == r.tier).count();
    assert!(right * 100 >= records.len() * 90, "{right} of {}", records.len());
}

#[test]
fn always_says_why_in_one_line_without_the_prompt_s_own_words() {
    let secret = "hunter2-projekt";
    for prompt in [
        "",
        "   ",
        "```",
        "函数",
        "a lock-free queue for hunter2-projekt",
        "rename it, nothing else: hunter2-projekt",
    ] {
        let verdict = classify(&Task::new(prompt));
        assert!(verdict.why.starts_with(verdict.tier.as_str()), "{verdict:?}");
        assert!(!verdict.why.contains('\n') && !verdict.why.contains(secret), "{verdict:?}");
    }
}

#[test]
fn names_the_facts_that_decided() {
    let verdict = classify(&Task::new("bounded lock-free queue in C++"));
    assert!(verdict.why.contains("concurrency (lock free"), "{}", verdict.why);
    let large =
        Task { code_lines: 5_200, files: Some(31), ..Task::new("Move this code base to the new API") };
    assert!(classify(&large).why.contains("5200 lines to change"), "{}", classify(&large).why);
}

#[test]
fn names_and_quotes_do_not_make_a_task_hard() {
    for prompt in [
        "rename `LockFreeRaftQueue` to `Queue` in consensus_engine.rs, nothing else",
        "print the string \"distributed deadlock in the lock-free allocator\"",
        "write a function paxos_leader_election_count(xs) that returns the number of items",
    ] {
        assert_eq!(classify(&Task::new(prompt)).tier, Tier::Simple, "{prompt}");
    }
}

#[test]
fn the_current_model_of_the_tier_comes_first_and_fallbacks_only_when_asked() {
    let catalogue = Catalogue::builtin();
    let global = Reach::Profile(ProfileScope::Global);
    let ids = |tier, reach, fallback| -> Vec<String> {
        candidates(tier, catalogue, reach, fallback).unwrap().iter().map(|c| c.model.to_string()).collect()
    };
    assert_eq!(ids(Tier::Simple, global, false), ["global.anthropic.claude-haiku-5-5"]);
    assert_eq!(
        ids(Tier::Medium, global, true),
        [
            "global.anthropic.claude-sonnet-5-5",
            "global.anthropic.claude-sonnet-5",
            "global.anthropic.claude-opus-5-5"
        ]
    );
    assert_eq!(
        ids(Tier::Complex, Reach::AnthropicApi, true),
        ["claude-opus-5-5", "claude-opus-5", "claude-sonnet-5-5"]
    );
}

#[test]
fn a_geography_is_never_left_and_an_older_model_stands_in() {
    let catalogue = Catalogue::builtin();
    let india = candidates(Tier::Simple, catalogue, Reach::Profile(ProfileScope::In), true).unwrap();
    assert!(india.iter().all(|c| c.model.scope() == Some(ProfileScope::In)), "{india:?}");
    assert_eq!(india[0].model.as_str(), "in.anthropic.claude-haiku-4-5-20251001-v1:0");
    assert!(india[0].why.contains("which lacks Claude Haiku 5.5"), "{}", india[0].why);
    let error = candidates(Tier::Simple, catalogue, Reach::Profile(ProfileScope::Ca), true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NeedsProfile);
}

#[test]
fn no_candidate_is_retired_legacy_or_in_need_of_an_account_setting() {
    let catalogue = Catalogue::builtin();
    for tier in Tier::ALL {
        for scope in ProfileScope::ALL {
            for candidate in candidates(tier, catalogue, Reach::Profile(scope), true).unwrap_or_default() {
                assert!(catalogue.refusal(&candidate.model, "2026-11-21").is_none());
                assert!(catalogue.warning(&candidate.model, "2026-11-21").is_none());
                assert!(catalogue.find(&candidate.model).unwrap().capabilities.data_retention.is_empty());
            }
        }
    }
}

proptest! {
    #[test]
    fn any_text_gets_a_tier(prompt in any::<String>(), files in any::<Option<u32>>(), code_lines: u32) {
        let task = Task { prompt: &prompt, language: Some("rust"), files, code_lines };
        prop_assert!(!classify(&task).why.is_empty());
    }
}
