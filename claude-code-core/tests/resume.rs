//! Cut answers go on without a seam: a six-file answer, cut anywhere, continued in every way that models do it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use claude_code_core::message::Role;
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{GenerateRequest, prompt};

const FILES: [(&str, &str); 6] = [
    ("backend_service.py", include_str!("golden/service/backend_service.py")),
    ("api_routes.py", include_str!("golden/service/api_routes.py")),
    ("database_schema.sql", include_str!("golden/service/database_schema.sql")),
    ("config.yaml", include_str!("golden/service/config.yaml")),
    ("requirements.txt", include_str!("golden/service/requirements.txt")),
    ("README.md", include_str!("golden/service/README.md")),
];

fn request() -> GenerateRequest {
    GenerateRequest::new("Build the service").with_model("opus").without_validation()
}

fn golden() -> String {
    let nonce = prompt::write(&request(), None).nonce;
    let mut answer = "Six files that belong together.\n\n".to_owned();
    for (path, content) in FILES {
        answer += &format!("=== file {nonce}: {path} ===\n{content}=== end {nonce}: {path} ===\n\n");
    }
    answer
}

/// Chance that is the same in every run.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }
}

#[derive(Clone, Copy, Debug)]
enum Style {
    Exact,
    Overlap,
    RestartsTheFile,
    Preface,
    Refenced,
    Crlf,
}

const STYLES: [Style; 6] =
    [Style::Exact, Style::Overlap, Style::RestartsTheFile, Style::Preface, Style::Refenced, Style::Crlf];

/// Where the continuation begins when it repeats so many whole lines before the cut.
fn lines_back(answer: &str, cut: usize, count: usize) -> usize {
    let starts: Vec<usize> = answer[..cut].match_indices('\n').map(|(at, _)| at + 1).collect();
    starts.len().checked_sub(count + 1).map_or(0, |at| starts[at])
}

fn continuation(answer: &str, cut: usize, style: Style, chance: &mut Seeded) -> String {
    let overlapping = &answer[lines_back(answer, cut, 1 + chance.below(40))..];
    match style {
        Style::Exact => answer[cut..].to_owned(),
        Style::Overlap => overlapping.to_owned(),
        Style::RestartsTheFile => {
            let start = answer[..cut].rfind("=== file ").unwrap_or(0);
            answer[start..].to_owned()
        }
        Style::Preface => format!("Sure, here is the rest of the answer:\n\n{overlapping}"),
        Style::Refenced => format!("```python\n{overlapping}```\n"),
        Style::Crlf => overlapping.replace('\n', "\r\n"),
    }
}

async fn resumed(answer: &str, cut: usize, rest: &str) -> Result<(), String> {
    let provider = ScriptedProvider::new([Script::truncated(&answer[..cut]), Script::answer(rest)]);
    let client = builder(provider.clone()).build();
    let g = client.generate(request()).await.map_err(|e| e.to_string())?;
    for call in provider.calls() {
        assert_eq!(call.messages.last().unwrap().role, Role::User);
    }
    for ((path, content), file) in FILES.iter().zip(&g.files) {
        if file.path.as_deref() != Some(path) || file.content != *content || !file.complete {
            return Err(format!("{path} differs: {:?}", file.path));
        }
    }
    if g.files.len() == FILES.len() { Ok(()) } else { Err(format!("{} files", g.files.len())) }
}

#[tokio::test]
async fn two_hundred_random_cuts_resume_byte_identical_in_every_style() {
    let answer = golden();
    let first = answer.find("=== file ").unwrap() + 200;
    let last = answer.trim_end().rfind('\n').unwrap();
    let seeds = if std::env::var_os("CAMPAIGN").is_some() { 20 } else { 1 };
    let (mut ran, mut failed) = (0, Vec::new());
    for seed in 0..seeds {
        let mut chance = Seeded(seed);
        for n in 0..200 {
            let cut = answer.ceil_char_boundary(first + chance.below(last - first));
            let style = STYLES[n % STYLES.len()];
            let rest = continuation(&answer, cut, style, &mut chance);
            ran += 1;
            if let Err(why) = resumed(&answer, cut, &rest).await {
                let from = answer.floor_char_boundary(cut.saturating_sub(60));
                let to = answer.ceil_char_boundary(cut + 40);
                failed.push(format!(
                    "{style:?} at {cut}: {why}: {:?}|{:?}",
                    &answer[from..cut],
                    &answer[cut..to]
                ));
            }
        }
    }
    println!("{ran} cuts resumed, {} of them not byte-identical", failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
