//! Round trip: an answer that says what the file says changes no byte of it, in any form of answer.

use std::collections::BTreeMap;

use super::{answered, marked, request, sources};

/// A fence that no line of the text can close.
fn fenced(path: &str, text: &str) -> String {
    let longest = text.lines().map(|line| line.trim_start().chars().take_while(|c| *c == '`').count()).max();
    let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("Here.\n\n{fence} title=\"{path}\"\n{text}{end}{fence}\n")
}

fn edit(path: &str, text: &str) -> String {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("{path}\n<<<<<<< SEARCH\n{text}{end}=======\n{text}{end}>>>>>>> REPLACE\n")
}

/// Whether the text holds marks of our own spellings of edits: which of them is the answer's nobody could tell.
fn has_marks(text: &str) -> bool {
    ["<<<<<<< ", ">>>>>>> ", "------- SEARCH", "+++++++ REPLACE"].iter().any(|mark| text.contains(mark))
}

#[tokio::test]
async fn an_answer_that_changes_nothing_changes_no_byte_of_installed_files() {
    let count = if std::env::var_os("CAMPAIGN").is_some() { 2000 } else { 100 };
    let files = sources::installed(count);
    let (mut ran, mut changed, mut passed_over) = (BTreeMap::new(), Vec::new(), 0);
    for (place, text) in &files {
        let name = place.file_name().unwrap().to_string_lossy().replace([' ', '"'], "_");
        let path = format!("src/{name}");
        let lf = text.replace("\r\n", "\n");
        let crlf = lf.replace('\n', "\r\n");
        let bom = format!("\u{feff}{}", text.trim_start_matches('\u{feff}'));
        let given_and_said: [(&str, &String, String); 5] = [
            ("whole", text, text.clone()),
            ("edit", text, String::new()),
            ("fenced", text, String::new()),
            ("CR LF", &crlf, lf.clone()),
            ("BOM", &bom, bom.trim_start_matches('\u{feff}').to_owned()),
        ];
        for (form, given, said) in given_and_said {
            if form == "edit" && has_marks(given) {
                passed_over += 1;
                continue;
            }
            let asked = request(&[(&path, given)], "nothing").without_validation();
            let outcome = answered(asked, |nonce| match form {
                "edit" => edit(&path, given),
                "fenced" => fenced(&path, given),
                _ => marked(nonce, &path, &said),
            });
            *ran.entry(form).or_insert(0) += 1;
            let outcome = outcome.await;
            // An edit that changes nothing makes no file: the given one stays.
            let after = match &outcome {
                Ok(g) if g.files.is_empty() => given.as_str(),
                Ok(g) => g.files[0].content.as_str(),
                Err(error) if error.kind() == claude_code_core::ErrorKind::NoCode && form == "edit" => {
                    given.as_str()
                }
                Err(_) => "",
            };
            if after != given {
                let why = outcome.as_ref().map_or_else(ToString::to_string, |g| format!("{:?}", g.warnings));
                changed.push(format!("{} as {form}: {why}", place.display()));
            }
        }
    }
    println!(
        "{} installed files, {ran:?} ran, {passed_over} with marks of edits in them; {} changed",
        files.len(),
        changed.len()
    );
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}
