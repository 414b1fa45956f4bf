//! Cut answers go on without a seam: a six-file answer, cut anywhere, continued in every way that models do it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use claude_code_core::provider::message::Role;
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{GenerateRequest, plan::prompt};

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

/// The same files between fences, as models write them that have forgotten the markers.
fn fenced() -> String {
    let mut answer = "Six files that belong together.\n\n".to_owned();
    for (path, content) in FILES {
        let fence = if path.ends_with(".md") { "````" } else { "```" };
        answer += &format!("{fence}text {path}\n{content}{fence}\n\n");
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
    OwnFence,
    Crlf,
}

const STYLES: [Style; 7] = [
    Style::Exact,
    Style::Overlap,
    Style::RestartsTheFile,
    Style::Preface,
    Style::Refenced,
    Style::OwnFence,
    Style::Crlf,
];

/// Where the continuation begins when it repeats so many whole lines before the cut.
fn lines_back(answer: &str, cut: usize, count: usize) -> usize {
    let starts: Vec<usize> = answer[..cut].match_indices('\n').map(|(at, _)| at + 1).collect();
    starts.len().checked_sub(count + 1).map_or(0, |at| starts[at])
}

/// Where the file begins in which the cut is, or that ended last before it.
fn start_of_file(answer: &str, cut: usize) -> usize {
    let of_line = |at: usize| answer[..at].rfind('\n').map_or(0, |end| end + 1);
    if answer[of_line(cut)..].starts_with("```text ") {
        return of_line(cut);
    }
    let marked = answer[..cut].rfind("=== file ");
    let fenced =
        FILES.iter().filter_map(|(path, _)| answer[..cut].rfind(&format!("```text {path}\n")).map(of_line));
    marked.or_else(|| fenced.max()).unwrap_or(0)
}

fn continuation(answer: &str, cut: usize, style: Style, chance: &mut Seeded) -> String {
    let overlapping = &answer[lines_back(answer, cut, 1 + chance.below(40))..];
    match style {
        Style::Exact => answer[cut..].to_owned(),
        Style::Overlap => overlapping.to_owned(),
        Style::RestartsTheFile => answer[start_of_file(answer, cut)..].to_owned(),
        Style::Preface => format!("Sure, here is the rest of the answer:\n\n{overlapping}"),
        Style::Refenced => format!("```python\n{overlapping}```\n"),
        Style::OwnFence => own_fence(answer, cut, overlapping),
        Style::Crlf => overlapping.replace('\n', "\r\n"),
    }
}

/// The rest of the file in a fence that ends before our own marker; only where a fence can be no line of the file.
fn own_fence(answer: &str, cut: usize, overlapping: &str) -> String {
    let name = answer[start_of_file(answer, cut)..].lines().next().unwrap();
    let end = answer[cut..].find("=== end ").map_or(0, |at| answer.len() - cut - at);
    let (rest, others) = overlapping.split_at(overlapping.len().saturating_sub(end));
    if end == 0 || rest.contains("=== ") || name.contains("README") || name.contains(".txt") {
        return overlapping.to_owned();
    }
    format!("```python\n{rest}```\n{others}")
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

/// What models say before they go on.
const PREFACES: [&str; 22] = [
    "Sure!",
    "Continuing:",
    "OK, continuing.",
    "Continuing `b.py`:",
    "Here is the rest of b.py (continued):",
    "## Continuation",
    "**Continuing b.py**",
    "---",
    "Certainly! Here's the remainder:",
    "Sure, here is the rest of the answer:",
    "Of course. Here is the rest:",
    "Okay, picking up where I left off.",
    "Continuing from where I left off...",
    "I apologize for the interruption. Continuing:",
    "I'll continue from the line you gave.",
    "Resuming the file:",
    "Here’s the continuation of the answer, starting at the line you named:",
    "Understood.",
    "### b.py (continued)",
    "Got it! Let me continue.\n\n**b.py**",
    "Sure!\n\n---\n\n## Continuation of `b.py`",
    "The rest of the files follows.",
];

/// Without a repeated line only words that cannot be the file's are known for what they are.
fn tells_by_itself(preface: &str) -> bool {
    ![
        "---",
        "### b.py (continued)",
        "Got it! Let me continue.\n\n**b.py**",
        "Sure!\n\n---\n\n## Continuation of `b.py`",
    ]
    .contains(&preface)
}

#[tokio::test]
async fn what_a_model_says_before_it_goes_on_is_no_part_of_the_file_in_any_style() {
    let seeds = if std::env::var_os("CAMPAIGN").is_some() { 20 } else { 1 };
    let (mut ran, mut failed) = (0, Vec::new());
    for (name, answer) in [("marked", golden()), ("fenced", fenced())] {
        let first = start_of_file(&answer, answer.find(FILES[0].1).unwrap()) + 200;
        let last = answer.trim_end().rfind('\n').unwrap();
        for seed in 0..seeds {
            let mut chance = Seeded(seed + 1000);
            for (preface, style) in PREFACES.iter().flat_map(|p| STYLES.map(|style| (p, style))) {
                let cut = answer.ceil_char_boundary(first + chance.below(last - first));
                let between_blanks = answer[..cut].ends_with("\n\n") && answer[cut..].starts_with('\n');
                if matches!(style, Style::Exact) && (between_blanks || !tells_by_itself(preface)) {
                    continue;
                }
                let rest = continuation(&answer, cut, style, &mut chance);
                for between in ["\n", "\n\n"] {
                    // Whether a blank line belongs to the words or to the file is then anyone's guess.
                    if between == "\n" && rest.starts_with(['\n', '\r']) {
                        continue;
                    }
                    ran += 1;
                    if let Err(why) = resumed(&answer, cut, &format!("{preface}{between}{rest}")).await {
                        let from = answer.floor_char_boundary(cut.saturating_sub(60));
                        let to = answer.ceil_char_boundary(cut + 40);
                        let around = (&answer[from..cut], &answer[cut..to]);
                        failed.push(format!(
                            "{name} {style:?} {preface:?}{between:?} at {cut}: {why}: {around:?}"
                        ));
                    }
                }
            }
        }
    }
    println!("{ran} continuations with a preface, {} of them not byte-identical", failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
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

/// A file that was cut, what the model said then, and what the file is.
const SPLICES: [(&str, &str, &str, &str); 11] = [
    (
        "the cut line is written otherwise",
        "import os\n\n\ndef second():\n    val",
        "def second():\n    result = first()\n    return result\n",
        "import os\n\n\ndef second():\n    result = first()\n    return result\n",
    ),
    (
        "the cut line is written otherwise after a word",
        "import os\n\n\ndef second():\n    val",
        "Sure!\n\ndef second():\n    result = first()\n",
        "import os\n\n\ndef second():\n    result = first()\n",
    ),
    ("the end follows a cut line at once", "def first():\n    return 1", "", "def first():\n    return 1\n"),
    ("the end was begun", "def first():\n    return 1\n=== e", "", "def first():\n    return 1\n"),
    ("the rest has other line ends", "a = 1\nbeta", "beta = 2\r\nc = 3\r\n", "a = 1\nbeta = 2\nc = 3\n"),
    ("line ends are CR LF", "alpha = 1\r\nb", "alpha = 1\r\nb = 2\r\n", "alpha = 1\r\nb = 2\r\n"),
    ("a cut between CR and LF", "alpha = 1\r\nb = 2\r", "\nc = 3\r\n", "alpha = 1\r\nb = 2\r\nc = 3\r\n"),
    (
        "the repeated line lost its indentation",
        "def first():\n    value = compute(1)\n",
        "value = compute(1)\n    return value\n",
        "def first():\n    value = compute(1)\n    return value\n",
    ),
    (
        "the rest of the file has a fence of its own",
        "import os\n\n\ndef second():\n    val",
        "```python\ndef second():\n    value = 1\n```\n\n",
        "import os\n\n\ndef second():\n    value = 1\n",
    ),
    (
        "a fence of its own in a long rest, and one inside",
        "TEXT = \"\"\"\nhere\n",
        concat!("```python\nhere\n", "line = 1\n", "```\nshown\n```\n\n\"\"\"\nline = 2\n```\n"),
        "TEXT = \"\"\"\nhere\nline = 1\n```\nshown\n```\n\n\"\"\"\nline = 2\n",
    ),
    (
        "an exact rest that looks like words",
        "# Use\n\n",
        "Run it with care. The rest is in the manual:\n\n```bash\nmake\n```\n",
        "# Use\n\nRun it with care. The rest is in the manual:\n\n```bash\nmake\n```\n",
    ),
];

#[tokio::test]
async fn a_continuation_joins_where_it_belongs() {
    let nonce = prompt::write(&request(), None).nonce;
    for (what, received, rest, whole) in SPLICES {
        let path = if whole.starts_with('#') { "README.md" } else { "a.py" };
        let cut = format!("=== file {nonce}: {path} ===\n{received}");
        let rest = format!("{rest}=== end {nonce}: {path} ===\n");
        let provider = ScriptedProvider::new([Script::truncated(&cut), Script::answer(&rest)]);
        let g = builder(provider).build().generate(request()).await.unwrap();
        let files: Vec<_> = g.files.iter().map(|f| (f.content.as_str(), f.complete)).collect();
        assert_eq!(files, [(whole, true)], "{what}");
    }
}
