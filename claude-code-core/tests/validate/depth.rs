//! Depth: texts that nest as deep as a model may write them end no stack, and at the depth of real code are no error.

use super::{errors, file, told};

/// How each language nests: what opens a level, what is inside, what closes it.
const NESTS: &[(&str, &str, &str, &str)] = &[
    ("a.py", "x = ", "(", ")"),
    ("b.py", "x = ", "[", "]"),
    ("c.py", "x = ", "{1: ", "}"),
    ("d.py", "x = ", "str(", ")"),
    ("e.py", "x = ", "not ", ""),
    ("f.py", "x = ", "lambda: ", ""),
    ("g.py", "x = ", "1 + ", ""),
    ("h.py", "x = ''", ".a", ""),
    ("i.py", "x = ''", "[0]", ""),
    ("j.py", "x = ", "1 if 1 else ", ""),
    ("k.py", "x = ", "-", ""),
    ("a.js", "x = ", "(", ")"),
    ("b.js", "x = ", "[", "]"),
    ("c.js", "x = ", "a => ", ""),
    ("d.js", "x = ", "!", ""),
    ("e.js", "x = ", "a ? b : ", ""),
    ("f.js", "", "{", "}"),
    ("g.js", "x = ", "f(", ")"),
    ("h.js", "x = ", "`${", "}`"),
    ("i.js", "", "if (a) ", ""),
    ("a.ts", "let x: ", "Array<", ">"),
    ("b.ts", "let x: ", "[", "]"),
    ("c.ts", "let x: ", "{ a: ", "}"),
    ("d.ts", "x = ", "<any>", ""),
    ("a.tsx", "x = ", "<a>", "</a>"),
    ("b.tsx", "x = ", "<a b={", "}/>"),
    ("a.rs", "fn f() { ", "{", "}"),
    ("b.rs", "const A: u8 = ", "(", ")"),
    ("c.rs", "type A = ", "B<", ">"),
    ("d.rs", "const A: u8 = ", "-", ""),
    ("e.rs", "const A: u8 = ", "&", ""),
    ("a.php", "<?php $x = ", "(", ")"),
    ("b.php", "<?php $x = ", "[", "]"),
    ("c.php", "<?php $x = ", "!", ""),
    ("d.php", "<?php ", "{", "}"),
    ("a.sql", "SELECT ", "(", ")"),
    ("b.sql", "SELECT ", "NOT ", ""),
    ("c.sql", "SELECT ", "CASE WHEN 1 = 1 THEN ", " END"),
    ("d.sql", "SELECT ", "f(", ")"),
    ("a.tf", "a = ", "(", ")"),
    ("b.tf", "a = ", "[", "]"),
    ("c.tf", "a = ", "\"${", "}\""),
    ("d.tf", "", "a {\n", "}\n"),
    ("e.tf", "a = ", "!", ""),
    ("a.json", "", "[", "]"),
    ("b.json", "", "{\"a\": ", "}"),
    ("tsconfig.json", "// c\n", "{\"a\": ", "}"),
    ("a.yaml", "a: ", "[", "]"),
    ("b.yaml", "", "- ", ""),
    ("c.yaml", "a: ", "{a: ", "}"),
    ("a.toml", "a = ", "[", "]"),
    ("a.go", "package a\n\nvar x = ", "(", ")"),
    ("b.go", "package a\n\nfunc f() ", "{", "}"),
    ("A.java", "class A { int x = ", "(", ")"),
    ("B.java", "class B { void f() ", "{", "}"),
    ("A.cs", "class A { int X = ", "(", ")"),
    ("B.cs", "class B { void F() ", "{", "}"),
    ("a.rb", "x = ", "[", "]"),
    ("b.rb", "", "begin\n", "end\n"),
    ("a.c", "int x = ", "(", ")"),
    ("a.cpp", "int x = ", "(", ")"),
    ("a.sh", "", "(", ")"),
    ("b.sh", "", "if true; then\n", "fi\n"),
    ("a.html", "", "<div>", "</div>"),
    ("a.css", "", "a {", "}"),
    ("a.html.erb", "", "<% if a %>", "<% end %>"),
    ("a.hbs", "", "{{#if a}}", "{{/if}}"),
    ("templates/a.html", "", "{% if a %}", "{% endif %}"),
    ("chart/templates/a.yaml", "", "{{ if .a }}", "{{ end }}"),
];

fn nested((path, begin, open, close): (&str, &str, &str, &str), depth: usize) -> String {
    let inside = match path.rsplit('.').next().unwrap() {
        _ if close.starts_with("</") || close.starts_with("{%") || close.starts_with("{{") => "a",
        "py" if begin.ends_with('\'') => "",
        "css" => "color: red;",
        "sh" => "true\n",
        "erb" => "a",
        "js" | "rs" | "go" | "java" | "cs" | "php" if open == "{" => "",
        "tf" if open == "a {\n" => "",
        "js" if open == "if (a) " => "b",
        "ts" if open == "Array<" || open == "[" || open == "{ a: " => "B",
        "rs" if open == "B<" => "u8",
        _ => "1",
    };
    let end = match path {
        "A.java" | "A.cs" => "; }",
        "B.java" | "B.cs" | "a.rs" => " }",
        "b.rs" | "c.rs" | "d.rs" | "e.rs" | "a.c" | "a.cpp" => ";",
        "a.php" | "b.php" | "c.php" | "a.sql" | "b.sql" | "c.sql" | "d.sql" => ";",
        _ => "",
    };
    format!("{begin}{}{inside}{}{end}\n", open.repeat(depth), close.repeat(depth))
}

#[test]
fn what_nests_as_real_code_does_is_no_error() {
    let alarms: Vec<_> = NESTS.iter().flat_map(|nest| errors(&[file(nest.0, &nested(*nest, 12))])).collect();
    assert!(alarms.is_empty(), "{alarms:#?}");
}

#[test]
fn no_depth_ends_the_stack_whether_it_is_closed_or_cut() {
    // Where time grows with the square of depth, a campaign takes hours.
    let deepest = if std::env::var_os("CAMPAIGN").is_some() { 20_000 } else { 2_000 };
    for nest in NESTS {
        for depth in [300, deepest] {
            let whole = nested(*nest, depth);
            let _ = told(&[(nest.0, &whole)]);
            let cut = whole.floor_char_boundary(nest.1.len() + nest.2.len() * depth);
            let _ = told(&[(nest.0, &whole[..cut])]);
        }
    }
}
