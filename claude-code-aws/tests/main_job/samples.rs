//! What is answered offline: the samples by their prompts, natural prompts of the same meaning, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use claude_code_aws::bedrock::Bedrock;
use claude_code_aws::clock::{SystemClock, SystemIds};
use claude_code_aws::local::{self, Sample, Samples, Twin};
use claude_code_aws::{Client, ClientBuilder, Cost, ErrorKind, GenerateRequest, Generation};

/// A prompt as people type it, and the prompt of the sample that it gets; empty: none.
const NATURAL: &str = include_str!("natural_prompts.txt");

/// A client of a twin that is asked and paid for as if it were AWS's: its results are nowhere stored.
fn client() -> Client {
    let twin = Twin::of_samples(Path::new(""));
    let provider = Arc::new(Bedrock::new(&twin.sdk_config()));
    ClientBuilder::new(provider.clone(), Arc::new(SystemClock), Arc::new(SystemIds))
        .with_facts(provider)
        .build()
}

fn rows() -> Vec<(&'static str, &'static str)> {
    let rows = NATURAL.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.map(|row| row.split_once(" => ").unwrap_or((row, ""))).collect()
}

fn label(g: &Generation) -> Option<&str> {
    g.warnings.iter().find_map(|warning| warning.strip_prefix("sample for: "))
}

fn of(samples: &Samples, prompt: &str) -> Sample {
    samples
        .iter()
        .find(|sample| sample.prompt == prompt)
        .cloned()
        .unwrap_or_else(|| panic!("no sample {prompt}"))
}

#[tokio::test]
async fn natural_prompts_get_the_sample_that_they_mean_and_no_other() {
    let (client, mut wrong) = (client(), Vec::new());
    let (mut hits, mut misses) = (0, 0);
    for (prompt, wanted) in rows() {
        match client.generate(prompt).await {
            Ok(g) => {
                hits += 1;
                assert!(g.sample && g.receipt.total() == Cost::ZERO, "{prompt}: {:?}", g.receipt);
                let got = label(&g).unwrap_or_else(|| panic!("{prompt} has no label: {:?}", g.warnings));
                if got != wanted {
                    wrong.push(format!("{prompt}\n    got    {got}\n    wanted {wanted:?}"));
                }
            }
            Err(error) => {
                misses += 1;
                assert_eq!(error.kind(), ErrorKind::NoSample, "{prompt}: {error}");
                let samples = Samples::built_in();
                let is_prompt = |line: &&str| samples.prompts().contains(line);
                let named = error.message().lines().filter(is_prompt).count();
                assert_eq!(named, 3, "{prompt}: {error}");
                if !wanted.is_empty() {
                    wrong.push(format!("{prompt}\n    got    nothing\n    wanted {wanted}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows().len(), wrong.join("\n"));
    assert!(hits >= 30 && misses >= 30, "{hits} hits, {misses} misses");
}

#[tokio::test]
async fn a_sample_is_never_one_of_another_language() {
    let client = client();
    let asked = |prompt: &str, language: &str| GenerateRequest::new(prompt).with_language(language);
    for (prompt, language) in [
        ("Write a Python function that reverses a string.", "rust"),
        ("a queue with a timeout", "python"),
        ("fibonacci", "kotlin"),
    ] {
        let error = client.generate(asked(prompt, language)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSample, "{prompt} in {language}: {error}");
    }
    let g = client.generate(asked("fibonacci", "rust")).await.unwrap();
    assert_eq!(label(&g), Some("Write a Rust function that returns the nth Fibonacci number."));
    let exact = client.generate(asked("a queue with a timeout", "rust")).await.unwrap();
    assert_eq!((label(&exact), exact.language.as_str()), (None, "rust"));
}

#[tokio::test]
async fn every_sample_is_found_by_its_meaning_and_is_accepted_or_says_why_not() {
    let (client, samples) = (client(), Samples::built_in());
    let mut languages = BTreeSet::new();
    for sample in samples.iter().filter(|sample| sample.given.is_empty()) {
        let g = client.generate(sample.prompt.as_str()).await.unwrap();
        let stays_wrong = sample.shows.as_deref().is_some_and(|shows| shows.contains("rejected"));
        assert_eq!(g.accepted, !stays_wrong, "{}: {:?}", sample.prompt, g.diagnostics);
        assert_eq!(label(&g), None, "{}", sample.prompt);
        if sample.prompt.len() > 200 {
            continue;
        }
        let shouted = sample.prompt.to_uppercase().replace('.', " !");
        let g = client.generate(shouted).await.unwrap();
        assert_eq!(label(&g), Some(sample.prompt.as_str()));
        languages.insert(sample.language.clone());
    }
    let all = samples.iter().count();
    assert!(all >= 40 && languages.len() >= 10, "{all} samples in {languages:?}");
}

#[tokio::test]
async fn refinements_and_tasks_about_a_file_are_answered_with_that_file_only() {
    let (client, samples) = (client(), Samples::built_in());
    let (mut refined, mut shipped) = (0, 0);
    for sample in samples.iter().filter(|sample| sample.prompt.len() < 200) {
        let Some(given) = sample.given.first() else { continue };
        let g = match &sample.after {
            Some(parent) => {
                refined += 1;
                let first = client.generate(of(&samples, parent).prompt.as_str()).await.unwrap();
                client.refine(&first, sample.prompt.as_str()).await.unwrap()
            }
            None => {
                shipped += 1;
                let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
                let mut files = std::fs::read_dir(examples).unwrap().filter_map(|entry| {
                    let path = entry.unwrap().path();
                    let text = std::fs::read_to_string(&path).ok()?;
                    text.contains(given)
                        .then(|| (path.file_name().unwrap().to_str().unwrap().to_owned(), text))
                });
                let (name, text) =
                    files.next().unwrap_or_else(|| panic!("{given} is in no file of examples/"));
                client
                    .generate(GenerateRequest::new(sample.prompt.as_str()).with_file(name, text))
                    .await
                    .unwrap()
            }
        };
        assert!(g.accepted && g.sample, "{}: {:?}", sample.prompt, g.diagnostics);
        let error = client.generate(GenerateRequest::new(sample.prompt.as_str())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSample, "{}", sample.prompt);
    }
    let g = client.generate(super::REVERSE).await.unwrap();
    let error = client.refine(&g, "add tests for surrogate pairs").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSample, "it is another task");
    assert!(refined >= 4 && shipped >= 4, "{refined} refinements, {shipped} files");
}

#[tokio::test]
async fn an_answer_that_is_cut_is_resumed_and_one_with_an_error_is_repaired() {
    let client = client();
    let outcomes = |g: &Generation| -> Vec<(String, String)> {
        g.attempts.iter().map(|a| (a.why.clone(), a.outcome.clone())).collect()
    };
    let g = client.generate("unit conversion module in python").await.unwrap();
    assert!(g.accepted && g.receipt.total() == Cost::ZERO, "{:?}", g.diagnostics);
    let cut = outcomes(&g);
    assert_eq!((cut.len(), cut[0].1.as_str(), cut[1].0.as_str()), (2, "truncated", "resume"), "{cut:?}");
    assert_eq!(g.files[0].content, of(&Samples::built_in(), label(&g).unwrap()).files[0].content);

    let g = client.generate("a stack class in Python").await.unwrap();
    let repaired = outcomes(&g);
    assert!(g.accepted && g.files[0].content.contains("def push(self, item):"), "{repaired:?}");
    assert_eq!((repaired.len(), repaired[1].0.as_str()), (2, "repair"), "{repaired:?}");

    let g =
        client.generate("Write a JSON configuration for a web server with comments in it.").await.unwrap();
    assert!(!g.accepted && !g.diagnostics.is_empty() && g.receipt.total() == Cost::ZERO);
}

#[tokio::test]
async fn any_sample_goes_on_where_a_limit_cut_it() {
    let client = client();
    let request = GenerateRequest::new("Write a Python script that counts the words in a text file.")
        .with_max_tokens(200);
    let g = client.generate(request).await.unwrap();
    assert!(g.accepted && g.attempts.len() > 1, "{:?} {:?}", g.attempts, g.diagnostics);
    assert_eq!(g.files[0].content, of(&Samples::built_in(), &g.prompt).files[0].content);
}

#[tokio::test]
async fn samples_cost_nothing_where_they_are_reached_as_if_they_were_aws() {
    let dir = tempfile::tempdir().unwrap();
    let g = client().generate(super::REVERSE).await.unwrap();
    assert!(g.sample && g.receipt.total() == Cost::ZERO, "{:?}", g.receipt);
    let same = local::open(dir.path()).await.unwrap().generate(super::REVERSE).await.unwrap();
    assert_eq!(g.receipt.items, same.receipt.items);
}
