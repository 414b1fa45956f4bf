#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use claude_code_core::request::SourceFile;
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{GenerateRequest, plan};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn files(dir: &Path, base: &Path, out: &mut BTreeMap<String, Vec<u8>>) {
    for e in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let p = e.path();
        if p.is_dir() {
            files(&p, base, out)
        } else {
            out.insert(
                p.strip_prefix(base).unwrap().to_string_lossy().into_owned(),
                std::fs::read(&p).unwrap(),
            );
        }
    }
}
fn text(p: PathBuf) -> Option<String> {
    std::fs::read_to_string(p).ok()
}

#[tokio::test]
async fn field() {
    let root = PathBuf::from(std::env::var("CASES").unwrap());
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut classes: Vec<PathBuf> = std::fs::read_dir(&root).unwrap().flatten().map(|e| e.path()).collect();
    classes.sort();
    if root.join("edit").is_dir() || root.join("read").is_dir() {
        classes = vec![root.clone()];
    }
    for class in classes {
        let name = class.file_name().unwrap().to_string_lossy().into_owned();
        let (mut pass, mut fail, mut applied) = (0, 0, 0);
        let mut cases: Vec<PathBuf> = ["edit", "read"]
            .iter()
            .flat_map(|k| std::fs::read_dir(class.join(k)).into_iter().flatten().flatten().map(|e| e.path()))
            .collect();
        cases.sort();
        for case in cases {
            let own = format!("{}/{}", name, case.file_name().unwrap().to_string_lossy());
            if !only.is_empty() && !own.contains(&only) {
                continue;
            }
            let is_read = case.parent().unwrap().ends_with("read");
            let result = if is_read { read(&case).await } else { edit(&case).await };
            match result {
                Ok(how) => {
                    pass += 1;
                    if how == "applied" {
                        applied += 1
                    };
                    if !only.is_empty() {
                        println!("PASS {own} {how}")
                    }
                }
                Err(why) => {
                    fail += 1;
                    println!(
                        "FAIL {own} | {}",
                        why.replace('\n', "\\n")
                            .chars()
                            .take(if only.is_empty() { 500 } else { 5000 })
                            .collect::<String>()
                    )
                }
            }
        }
        println!("== {name}: {pass} passed ({applied} applied), {fail} failed");
    }
}

async fn edit(case: &Path) -> Result<&'static str, String> {
    let mut given = BTreeMap::new();
    files(&case.join("given"), &case.join("given"), &mut given);
    let mut right = BTreeMap::new();
    files(&case.join("right"), &case.join("right"), &mut right);
    let outcomes = text(case.join("outcome.txt")).unwrap_or("applied".into());
    let asked = text(case.join("instructions.txt")).unwrap_or("change it".into());
    let answer = text(case.join("answer.txt")).unwrap();
    let sources: Vec<SourceFile> = given
        .iter()
        .map(|(p, c)| SourceFile { path: p.clone(), content: String::from_utf8(c.clone()).unwrap() })
        .collect();
    let request = GenerateRequest::refactor(sources, asked.trim()).with_model("sonnet").with_max_sends(1);
    let nonce = plan::prompt::write(&request, None).nonce;
    let provider = ScriptedProvider::new([Script::answer(&answer.replace("NONCE", &nonce))]);
    let outcome = builder(provider).build().generate(request).await;
    let mut after = given.clone();
    let (accepted, warned, told) = match &outcome {
        Ok(g) => {
            if g.accepted {
                for f in &g.files {
                    if let Some(p) = &f.path {
                        after.insert(p.clone(), f.content.clone().into_bytes());
                    }
                }
            }
            (
                g.accepted,
                !g.warnings.is_empty(),
                format!(
                    "accepted {} {:?} {:?}",
                    g.accepted,
                    g.diagnostics.iter().map(|d| format!("{d}")).collect::<Vec<_>>(),
                    g.warnings
                ),
            )
        }
        Err(e) => (false, false, format!("{}: {e}", e.kind)),
    };
    let same = after == given;
    for o in outcomes.split_whitespace() {
        let holds = match o {
            "applied" => accepted && after == right,
            "refused" => !accepted && same,
            "told" => accepted && same && warned,
            _ => same,
        };
        if holds {
            return Ok(match o {
                "applied" => "applied",
                _ => "other",
            });
        }
    }
    let changed: Vec<String> = after
        .iter()
        .filter(|(p, c)| given.get(*p) != Some(c))
        .map(|(p, c)| format!("{p}: {}", String::from_utf8_lossy(c)))
        .collect();
    Err(format!("{told} || {changed:?}"))
}

async fn read(case: &Path) -> Result<&'static str, String> {
    let request = GenerateRequest::new("please write it")
        .with_model("sonnet")
        .with_max_sends(if case.join("first.txt").exists() { 4 } else { 1 });
    let nonce = plan::prompt::write(&request, None).nonce;
    let get = |n: &str| text(case.join(n)).map(|t| t.replace("NONCE", &nonce));
    let provider = match (get("first.txt"), get("second.txt")) {
        (Some(a), Some(b)) => ScriptedProvider::new([Script::truncated(&a), Script::answer(&b)]),
        _ => ScriptedProvider::new([Script::answer(&get("answer.txt").unwrap())]),
    };
    let right: BTreeMap<String, String> =
        serde_json::from_str(&text(case.join("right.json")).unwrap()).unwrap();
    let outcome = builder(provider).build().generate(request).await;
    match outcome {
        Ok(g) => {
            let found: BTreeMap<String, String> = g
                .files
                .iter()
                .map(|f| (f.path.clone().unwrap_or("null".into()), f.content.clone()))
                .collect();
            if found != right {
                return Err(format!("files {found:?}\nright {right:?} {:?}", g.warnings));
            }
            if !g.accepted {
                return Err(format!("not accepted {:?}", g.diagnostics));
            }
            Ok("applied")
        }
        Err(e) => Err(format!("{e}")),
    }
}
