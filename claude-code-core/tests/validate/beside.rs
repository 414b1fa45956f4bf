//! An answer beside the files that were given and that it does not write again.

use claude_code_core::request::SourceFile;
use claude_code_core::validate::check_beside;

use super::{file, told};

fn told_beside(files: &[(&str, &str)], given: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<_> = files.iter().map(|(path, content)| file(path, content)).collect();
    let given =
        given.iter().map(|(path, content)| SourceFile { path: (*path).into(), content: (*content).into() });
    check_beside(&files, &given.collect::<Vec<_>>()).iter().map(ToString::to_string).collect()
}

const HELPER: (&str, &str) = ("helper_mod.py", "def f(x):\n    return x\n");
const API: (&str, &str) = ("api.py", "import requests\n\nfrom helper_mod import f\n\nf(requests)\n");
const REQUIREMENTS: (&str, &str) = ("requirements.txt", "requests\n");

#[test]
fn a_given_file_that_the_answer_does_not_write_is_there() {
    let given = [HELPER, API, REQUIREMENTS];
    assert_eq!(told_beside(&[API, REQUIREMENTS], &given), [""; 0]);
    assert_eq!(told_beside(&[API], &given), [""; 0]);
    assert!(told(&[API, REQUIREMENTS])[0].contains("requirements.txt does not list `helper-mod`"));
}

#[test]
fn what_the_answer_breaks_in_a_given_file_is_an_error_that_names_both() {
    let found = told_beside(&[("helper_mod.py", "def g(x):\n    return x\n")], &[HELPER, API, REQUIREMENTS]);
    assert_eq!(
        found,
        [
            "helper_mod.py: error: api.py, which the answer does not write, no longer fits: line 3: `f` is imported from helper_mod.py, which does not define it (did you mean `g`?)"
        ]
    );
    let two = "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/a')\ndef a(): ...\n\n\n@app.get('/b')\ndef b(): ...\n";
    let three = format!("{two}\n\n@app.get('/c')\ndef c(): ...\n");
    let readme = ("README.md", "- GET /a\n- GET /b\n- GET /c\n");
    let found = told_beside(&[("app.py", two)], &[("app.py", &three), readme]);
    assert!(
        found.len() == 1 && found[0].starts_with("app.py: error: README.md, which the answer"),
        "{found:?}"
    );
    assert!(found[0].contains("line 3: the route `GET /c`"), "{found:?}");
    assert_eq!(told_beside(&[("app.py", &three)], &[("app.py", two), readme]), [""; 0]);
}

#[test]
fn what_was_wrong_between_the_given_files_is_no_error_of_the_answer() {
    let broken = ("helper_mod.py", "from gone import x\n\n\ndef g():\n    return x\n");
    let given = [broken, API, REQUIREMENTS];
    // Nothing of the given files is told; what the answer keeps is a warning.
    assert_eq!(told_beside(&[("new.py", "A = 1\n")], &given), [""; 0]);
    let found = told_beside(&[API], &given);
    assert!(found.len() == 1 && found[0].starts_with("api.py:3:24: warning: `f` is imported"), "{found:?}");
    // A name that nothing binds is an error in what the answer writes, whoever wrote it first.
    let lost = ("a.py", "print(lost)\n");
    assert!(told_beside(&[lost], &[lost])[0].contains("error: `lost` is used"));
    assert_eq!(told_beside(&[("b.py", "A = 1\n")], &[lost, ("c.py", "def (\n")]), [""; 0]);
}

#[test]
fn a_block_without_a_name_stands_for_the_only_given_file() {
    let block = super::block("python", "def g(x):\n    return x\n");
    let given = SourceFile { path: "a.py".into(), content: "from a import f\n".into() };
    assert!(check_beside(&[block], &[given]).is_empty());
}
