//! A continuation that names its file again: joined, whatever the cut is at.

use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{GenerateRequest, plan};

fn request() -> GenerateRequest {
    GenerateRequest::new("Build it").with_model("opus").without_validation()
}

fn code() -> String {
    (0..12).map(|n| format!("def f{n}(x):\n    y = x + {n}\n    return y * {}\n\n\n", n + 7)).collect()
}

/// How a continuation may begin in the file that was cut, between our markers or in a fence.
const WAYS: [(&str, bool); 17] = [
    ("=== file NONCE: src/m.py ===\n", true),
    ("=== file NONCE: src/m.py (continued) ===\n", true),
    ("=== file 0badf00d: src/m.py ===\n", true),
    ("Continuing:\n\n=== file NONCE: src/m.py ===\n", true),
    ("=== file NONCE: src/m.py ===\n```python\n", true),
    ("```python src/m.py\n", false),
    ("```python\n", false),
    ("**src/m.py**\n\n", false),
    ("### src/m.py (continued)\n\n", false),
    ("`src/m.py`:\n\n", false),
    ("**m.py**\n\n```python\n", false),
    ("src/m.py (continued):\n\n", false),
    ("Sure, continuing:\n\n### src/m.py\n\n```python\n", false),
    ("```py\n", false),
    ("File: src/m.py (part 2)\n\n", false),
    ("Filename: `src/m.py`\n\n```py\n", false),
    ("", false),
];

/// Cuts at the end of a line that says something, at a blank line, within a line, and in its indentation.
fn cuts(text: &str) -> Vec<usize> {
    let starts: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    let mut cuts: Vec<usize> =
        starts.iter().copied().skip(6).step_by(2).filter(|at| *at + 9 < text.len()).collect();
    cuts.extend(starts.iter().skip(7).step_by(5).map(|at| at + 8).filter(|at| *at + 9 < text.len()));
    cuts
}

#[tokio::test]
async fn a_continuation_that_names_its_file_again_is_joined_at_every_cut() {
    let nonce = plan::prompt::write(&request(), None).nonce;
    let code = code();
    let (mut ran, mut failed) = (0, Vec::new());
    for is_marked in [true, false] {
        let (open, close) = match is_marked {
            true => (format!("=== file {nonce}: src/m.py ===\n"), format!("=== end {nonce}: src/m.py ===\n")),
            false => ("```python src/m.py\n".to_owned(), "```\n".to_owned()),
        };
        for (way, only_marked) in WAYS {
            if only_marked && !is_marked {
                continue;
            }
            for cut in cuts(&code) {
                // Behind a heading a blank line is anyone's: what goes on with one is not asked for.
                let (before, after) = code.split_at(cut);
                if (after.starts_with('\n') || before.ends_with("\n\n")) && !way.is_empty() {
                    continue;
                }
                let fence_end = if is_marked && way.contains("```") { "```\n" } else { "" };
                let rest = format!("{}{after}{fence_end}{close}", way.replace("NONCE", &nonce));
                let provider = ScriptedProvider::new([
                    Script::truncated(&format!("Ok.\n\n{open}{before}")),
                    Script::answer(&rest),
                ]);
                ran += 1;
                let outcome = builder(provider).build().generate(request()).await;
                let content = outcome.as_ref().map(|g| g.files.first().map(|file| file.content.clone()));
                if !matches!(&content, Ok(Some(content)) if *content == code) {
                    failed.push(format!(
                        "{way:?} marked {is_marked} at {cut} {:?}|{:?}",
                        &code[cut.saturating_sub(12)..cut],
                        &code[cut..cut + 9]
                    ));
                }
            }
        }
    }
    println!("{ran} continuations that name their file again, {} not joined", failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[tokio::test]
async fn nothing_that_was_received_is_replaced_by_less() {
    let nonce = plan::prompt::write(&request(), None).nonce;
    let code = code();
    let open = format!("=== file {nonce}: src/m.py ===\n");
    let close = format!("=== end {nonce}: src/m.py ===\n");
    let cut = code.find("def f6").unwrap();
    // It begins as the file began, and is another part of it.
    let rest = format!("{open}def f0(x):\n    pass\n{close}");
    let provider =
        ScriptedProvider::new([Script::truncated(&format!("{open}{}", &code[..cut])), Script::answer(&rest)]);
    let g = builder(provider).build().generate(request()).await.unwrap();
    assert!(g.files[0].content.starts_with(&code[..cut]), "{}", g.files[0].content);
}

#[tokio::test]
async fn a_file_that_is_begun_again_whole_takes_its_own_place() {
    let nonce = plan::prompt::write(&request(), None).nonce;
    let code = code();
    let whole = format!("=== file {nonce}: src/m.py ===\n{code}=== end {nonce}: src/m.py ===\n");
    let provider =
        ScriptedProvider::new([Script::truncated(&whole[..whole.len() / 2]), Script::answer(&whole)]);
    let g = builder(provider).build().generate(request()).await.unwrap();
    assert_eq!((g.files.len(), &g.files[0].content), (1, &code));
}
