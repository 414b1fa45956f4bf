//! No text makes the checks panic or take long.

use claude_code_core::CodeFile;
use claude_code_core::validate::check;
use proptest::prelude::*;

use super::{file, project, service, told};

#[test]
fn sql_that_ends_in_the_middle_of_a_parameter_is_read() {
    let schema = ("s.sql", "CREATE TABLE users (id INT, name TEXT);\n");
    for end in ["%(id)", "%(id)é", "%(id", "%(", "%", "$a$", "$", "[", "{", "::", "'", "%(é)\u{1f980}"] {
        let code = format!("Q = \"SELECT name FROM users WHERE id = {end}\"\n");
        assert_eq!(told(&[schema, ("a.py", &code)]), [""; 0], "{end}");
    }
}

#[test]
fn a_class_that_is_its_own_base_many_times_is_read_once() {
    let bases = "A, ".repeat(200);
    let code = format!("class A({bases}):\n    def f(self):\n        self.g()\n");
    assert_eq!(told(&[("a.py", &code)]).len(), 1);
}

/// All golden files, each with the files that it belongs to.
fn golden() -> Vec<Vec<CodeFile>> {
    let projects = super::good::PROJECTS.iter().map(|name| project(name));
    projects.chain([service()]).collect()
}

/// Texts that open, cut or hide something.
const PARTS: [&str; 24] = [
    "",
    "\"",
    "'",
    "`",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "%(",
    "%(a)",
    "$a$",
    "é",
    "\u{1f980}",
    "\u{0}",
    "\r\n",
    "\t",
    "/*",
    "--",
    "<a>",
    "</",
    "${",
    "\\",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_change_of_a_golden_file_makes_the_checks_panic(
        project in 0_usize..11, file in 0_usize..20, from in 0.0..1.0, length in 0_usize..40, part in 0..PARTS.len(),
        ends in any::<bool>(),
    ) {
        let mut files = golden().swap_remove(project);
        let count = files.len();
        let content = &mut files[file % count].content;
        let start = content.floor_char_boundary((content.len() as f64 * from) as usize);
        let end = if ends { content.len() } else { content.ceil_char_boundary((start + length).min(content.len())) };
        content.replace_range(start..end, PARTS[part]);
        let _ = check(&files);
    }

    #[test]
    fn no_sql_in_a_string_makes_the_checks_panic(text in "[ -!#-\\[\\]-~é]{0,60}") {
        let code = file("a.py", &format!("Q = \"SELECT a FROM t WHERE {text}\"\n"));
        let _ = check(&[code, file("s.sql", "CREATE TABLE t (a INT);\n")]);
    }
}

#[test]
fn many_names_that_nothing_binds_and_deep_tags_are_read_in_linear_time() {
    // Each took seconds where every name was compared with every other, or every tag with all that are open.
    let names: String = (0..5_000).map(|n| format!("bound_{n} = unbound_{n}\n")).collect();
    assert_eq!(told(&[("a.py", &names)]).len(), 5);
    for tags in ["<a>".repeat(30_000), "<a>".repeat(30_000) + &"</b>".repeat(30_000), "<p><a>".repeat(30_000)]
    {
        let _ = told(&[("a.html", &tags)]);
    }
    let columns: String = (0..2_000).map(|n| format!("c{n} INT, ")).collect();
    let queries: String = (0..2_000).map(|n| format!("Q{n} = \"SELECT d{n} FROM t\"\n")).collect();
    let found = told(&[("s.sql", &format!("CREATE TABLE t ({columns}id INT);\n")), ("q.py", &queries)]);
    assert_eq!(found.len(), 5);
}
