//! Syntax errors of each language, with their places.

use claude_code_core::validate::check;

use super::{CodeFile, block, errors, file, told};

/// A good text and a bad one of each language.
const PAIRS: &[(&str, &str, &str)] = &[
    ("a.py", "def f(a):\n    return [a, 1]\n", "def f(a):\n    return [a, 1\n"),
    ("a.js", "const f = (a) => ({ a });\n", "const f = (a) => ({ a };\n"),
    ("a.ts", "function f<T>(a: T[]): T { return a[0]!; }\n", "function f<T>(a: T[]): T { return a[0]!;\n"),
    ("a.tsx", "export const A = () => <b>{1}</b>;\n", "export const A = () => <b>{1</b>;\n"),
    ("a.go", "package a\n\nfunc f() int { return 1 }\n", "package a\n\nfunc f( int { return 1 }\n"),
    ("A.java", "class A { int f() { return 1; } }\n", "class A { int f() { return 1; }\n"),
    ("a.rs", "fn f() -> u8 { 1 }\n", "fn f() -> u8 { 1 \n"),
    ("a.c", "int f(void) { return 1; }\n", "int f(void) { return (1; }\n"),
    (
        "a.cpp",
        "auto f() { return [](auto x) { return x; }; }\n",
        "auto f() { return [](auto x) { return x; };\n",
    ),
    ("a.cs", "record A(int X);\nclass B { int F() => 1; }\n", "class B { int F() { return 1; }\n"),
    ("a.rb", "def f(a)\n  [a]\nend\n", "def f(a)\n  [a\nend\n"),
    (
        "a.php",
        "<?php\nfunction f(int $a): int { return $a; }\n",
        "<?php\nfunction f(int $a): int { return $a;\n",
    ),
    ("a.sh", "if true; then\n  echo \"a\"\nfi\n", "if true; then\n  echo \"a\"\n"),
    ("a.sql", "SELECT a FROM b WHERE c IN (1, 2);\n", "SELECT a FROM b WHERE c IN (1, 2;\n"),
    ("a.tf", "variable \"a\" {\n  default = [1]\n}\n", "variable \"a\" {\n  default = [1]\n"),
    ("a.html", "<p>a<br><b>c</b>\n", "<p>a<b c</b>\n"),
    ("a.css", "a { color: red; }\n", "a { color: red; \n"),
    ("a.json", "{\"a\": [1, 2]}\n", "{\"a\": [1, 2}\n"),
    ("a.yaml", "a:\n  - b\n", "a: [b\n"),
    ("a.toml", "a = [1]\n", "a = [1\n"),
];

#[test]
fn takes_good_files_and_finds_the_error_in_bad_ones() {
    let wrong: Vec<&str> = PAIRS
        .iter()
        .filter(|(path, good, bad)| {
            !errors(&[file(path, good)]).is_empty() || errors(&[file(path, bad)]).is_empty()
        })
        .map(|(path, ..)| *path)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// What grammars let pass, or are unsure of: each is an error.
const BROKEN: &[(&str, &str)] = &[
    ("a.c", "int f(void) { int x = 1 return x; }\n"),
    ("a.c", "struct a { int x; }\nint f(void) { return 1; }\n"),
    ("a.cpp", "int main() { std::cout << 1 return 0; }\n"),
    ("a.cpp", "class A { public: int x; }\nint main() { return 0; }\n"),
    ("a.php", "<?php\n$a = 1\n$b = 2;\n"),
    ("a.php", "<?php\nfunction f() { return 1 }\n"),
    ("a.rb", "def f(a)\n  if a\n    1\nend\n"),
    ("a.rb", "class A\n  def f\n    1\n  end\n"),
    ("a.rb", "[1].each do |x|\n  puts x\n"),
    ("a.rb", "def f\n  1\nend\nend\n"),
    ("a.rb", "if a\n  1\nend\nelse\n  2\n"),
    ("A.java", "class A { int f() { int else = 1; return else; } }\n"),
    ("a.go", "package a\n\nfunc f() { x := func\n _ = x }\n"),
    ("a.sh", "echo \"a\necho b\n"),
    ("a.sh", "if [ \"$a\" = 'b ]; then\n  echo x\nfi\n"),
    ("a.html", "<div><span>a</div></span>\n"),
    ("a.html", "<div><b>a</div>\n"),
    ("a.html", "<!DOCTYPE html><html><body><div><p>a</body></html>\n"),
    ("a.tsx", "export const A = () => <div>a</span>;\n"),
    ("a.jsx", "export const A = () => <A.B><b>a</A.B></A.B>;\n"),
    ("a.sql", "SELECT a, FROM t;\n"),
    ("a.sql", "CREATE TABLE t (a INT, b TEXT,);\n"),
    ("a.sql", "INSERT INTO t (a) VALUES (1),;\n"),
    ("a.sql", "SELEC * FROM t;\n"),
    ("a.sql", "SELECT * FORM t;\n"),
    ("a.sql", "CREATE TABLE t (\n  a TEXT NOT NULL\n  b TEXT NOT NULL\n);\n"),
    ("a.sql", "SELECT a FROM t WHERE b && '{c};\n"),
    ("a.sql", "INSERT INTO t (a) VALUES (1)) ;\n"),
    ("a.tf", "variable \"a\" { type = string default = \"x\" }\n"),
    ("a.sql", "SELECT 1 /* a comment\nFROM t;\n"),
    ("a.sql", "CREATE FUNCTION f() RETURNS int AS $body$\nBEGIN RETURN 1; END;\n$bdy$ LANGUAGE plpgsql;\n"),
    ("a.ipynb", "{\"cells\": [],}\n"),
    ("a.cs", "class A { int F() { return 1 } }\n"),
    ("a.css", "a { color: red;\nb { color: blue; }\n"),
];

#[test]
fn finds_what_grammars_let_pass_or_are_unsure_of() {
    let passed: Vec<_> =
        BROKEN.iter().filter(|(path, text)| errors(&[file(path, text)]).is_empty()).collect();
    assert!(passed.is_empty(), "{passed:#?}");
}

/// What grammars do not know, or macros hide: none is an error.
const FINE: &[(&str, &str)] = &[
    ("a.css", "@media (width >= 600px) { a { color: red; } }\n"),
    ("a.css", "@media (400px <= width <= 700px) { a { color: red; } }\n"),
    ("a.css", "@container (width > 30em) { a { color: red; } }\n"),
    ("a.css", "@import url(\"a.css\") layer(base) supports(display: grid) screen;\n"),
    ("a.css", "@layer a, b;\n.c { &:hover { color: red } .x & { color: blue } > p { color: green; } }\n"),
    ("a.cs", "class A { int F(int[] a) => a switch { [1, .. var r] => r.Length, [] => 0, _ => 1 }; }\n"),
    ("a.c", "MODULE_LICENSE(\"GPL\")\nint f(void) { list_for_each(p, q) { g(p); } return 1; }\n"),
    ("a.c", "typedef struct {\n    PyObject_HEAD\n} A;\n"),
    ("a.cpp", "class A : public QObject { Q_OBJECT\npublic:\n  int f() { return 1; }\n};\n"),
    ("a.cpp", "TEST(A, B) { EXPECT_EQ(1, 1); }\nBENCHMARK(f)\nBENCHMARK_MAIN();\n"),
    ("a.php", "<p><?php foreach ($a as $b): ?><b><?= $b ?></b><?php endforeach ?></p>\n"),
    (
        "a.rb",
        "r = (1..2).end\ndef end = 1\nh = { end: 1, else: 2 }\nself.end\nx = :end\nf(end: 3)\nr&.then { 1 }\n",
    ),
    ("a.rb", "def f(x) = x + 1\nputs 1 if f(1)\nx = if true\n  1\nend\nwhile x do\n  x -= 1\nend\n"),
    ("a.sh", "if ! a; then b; elif c; then :; else { echo \"${x} done\"; } fi\n{ a; }\necho ${y} fi done\n"),
    ("a.sh", "cat <<'E'\nit's\nE\necho \"$(echo \"it's\")\" # don't\ncase $1 in a) ;; esac\n"),
    ("a.html", "<ul><li>a<li>b</ul><p>x<br><p>y<img src=\"a>b\"><script>if (a < b) '</div>'</script>\n"),
    ("a.html", "{% if a %}</div>{% endif %}\n"),
    ("a.html", "<svg><path d=\"M0\"/><g></g></svg>1 < 2<p>a</p></p>\n"),
    ("a.tsx", "export const A = () => <><a.b x={<i/>}>a</a.b></>;\n"),
    ("a.sql", "SELECT q'[it's]', q'!a'b!', 'x' FROM dual WHERE a = b(+);\n"),
    ("a.sql", "CREATE TABLE a (LIKE b INCLUDING ALL);\nSELECT a FROM b FINAL SAMPLE 1;\n"),
    ("a.sql", "CREATE TABLE `e` (`at` DateTime64(3)) ENGINE = MergeTree ORDER BY at;\n"),
    ("a.sql", "SELECT a && b FROM c WHERE d @@ e;\n"),
    ("a.sql", "SELECT {{ a }}, FROM {{ t }};\n"),
    ("a.sql", "INSERT INTO `t` VALUES (1,'a\\\\',\"b\\\"c\",'x''y');\n"),
    ("a.sql", "INSERT INTO t VALUES (?1, :a, @b, $c, x'00');\nSELECT a ->> '$.x' FROM t;\n"),
    ("a.sql", "DELIMITER $$\nCREATE PROCEDURE p() BEGIN SELECT 1; END $$\nSELECT 2 $$\nDELIMITER ;\n"),
    ("a.sql", "SELECT 1 /* a */ -- b /* c\n/* d */;\n"),
    ("a.sql", "SELECT 1 AS form, a form FROM t;\nGRANT EXECUTE ON FUNCTION f() TO r;\n"),
];

#[test]
fn takes_what_grammars_do_not_know() {
    let alarms: Vec<_> = FINE.iter().flat_map(|(path, text)| errors(&[file(path, text)])).collect();
    assert!(alarms.is_empty(), "{alarms:#?}");
}

#[test]
fn tells_line_column_and_a_plain_sentence() {
    assert_eq!(told(&[("a.json", "{\n  \"a\": 1,\n  b\n}")]), ["a.json:3:3: error: key must be a string"]);
    assert_eq!(
        told(&[("a.py", "x = 'é'\nif x:\nprint(x)\n")]),
        ["a.py:3:1: error: expected an indented block after `if` statement"]
    );
    let told = told(&[("a.go", "package a\n\nfunc f() {\n\treturn )\n}\n")]);
    assert!(told[0].starts_with("a.go:4:") && told[0].contains("this `)` closes nothing"), "{told:?}");
}

#[test]
fn finds_what_the_grammar_of_python_lets_pass() {
    let faults = [
        ("def f():\n    a = 1\n      b = 2\n", "unexpected indentation"),
        (
            "def f():\n    if 1:\n        a = 1\n      b = 2\n",
            "unindent does not match any outer indentation level",
        ),
        ("def f():\n    a = 1\n\tb = 2\n", "unindent does not match any outer indentation level"),
        ("for a in []:\n", "expected an indented block after `for` statement"),
        ("return 1\n", "outside of a function"),
        ("class A:\n    yield 1\n", "outside of a function"),
        ("if 1:\n    break\n", "outside loop"),
        ("def f(x):\n    return await x\n", "outside of an asynchronous function"),
        ("async def f(x):\n    def g():\n        await x\n", "outside of an asynchronous function"),
        ("def f(a, a): ...\n", "duplicate"),
        ("f(a=1, a=2)\n", "duplicate"),
        ("x = 1\ndef f():\n    nonlocal x\n", "nonlocal"),
        ("import os\nfrom __future__ import annotations\n", "top of the file"),
        ("match 1:\n    case y: ...\n    case 2: ...\n", "unreachable"),
        ("[(yield 1) for x in y]\n", "outside"),
        ("print 'a'\n", "function in Python 3"),
        ("if 1:\n    pass\nif 2:\n     pass\n", "warning: this block is indented by 5, the first one by 4"),
    ];
    for (text, message) in faults {
        let told = told(&[("a.py", text)]);
        assert!(told.len() == 1 && told[0].contains(message), "{text:?}: {told:?}");
    }
}

#[test]
fn takes_what_python_takes_out_of_the_ordinary() {
    let fine = [
        "async def f(x):\n    return [await y async for y in x if await y]\n",
        "async def f(x):\n    return (await y for y in x)\n",
        "def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = 2\n    return g\n",
        "\"\"\"Doc.\"\"\"\nfrom __future__ import annotations\nimport os\n",
        "class A:\n    for i in range(3):\n        if i:\n            continue\n    else:\n        x = [i for i in range(3)]\n",
        "f = lambda: (yield)\n\n\ndef g():\n    return lambda a, *b, c=1, **d: (yield)\n",
        "match 1:\n    case 2: ...\n    case y if y: ...\n    case _: ...\n",
        "# %%\nx = await f()\n",
        "while True:\n    try:\n        break\n    finally:\n        pass\n",
    ];
    for text in fine {
        let found = errors(&[file("a.py", text)]);
        assert!(found.iter().all(|d| d.message.contains("neither defined")), "{text:?}: {found:?}");
    }
}

#[test]
fn a_tab_that_indents_yaml_is_an_error() {
    assert_eq!(
        told(&[("a.yaml", "a:\n\tb: 1\n")]),
        ["a.yaml:2:1: error: a tab indents this line; YAML needs spaces"]
    );
    assert!(told(&[("a.yaml", "a: 1\nb:\t2\n")])[0].contains("before the value"));
    assert!(told(&[("a.yaml", "a: |-\n  \tb\n  c\n")]).is_empty());
    assert!(told(&[("a.yaml", "a: |\n  b\n  \tc\nd: \"x\ty\" # z\ta\n")]).is_empty());
}

#[test]
fn a_key_that_comes_twice_is_a_warning() {
    let json = told(&[("a.json", "{\"a\": 1, \"b\": {\"a\": 2}, \"a\": 3}")]);
    assert_eq!(json, ["a.json:1:25: warning: the key `a` occurs twice in one object; the last one wins"]);
    assert!(told(&[("a.yaml", "a: 1\nb:\n  a: 2\na: 3\n")])[0].starts_with("a.yaml:4:1: warning"));
}

#[test]
fn at_most_five_findings_a_file() {
    assert!(told(&[("a.go", &"func ( }\n".repeat(50))]).len() <= 5);
}

#[test]
fn passes_over_halves_sketches_and_unknown_languages() {
    let bad = "def f(:\n";
    let half = CodeFile { complete: false, ..file("a.py", bad) };
    assert!(check(&[half, file("a.cobol", bad)]).is_empty());
    assert!(check(&[block("python", "def f(:\n    # ... existing code ...\n")]).is_empty());
    // In a file with a name a comment hides nothing.
    assert!(!told(&[("a.py", "def f(:\n    # ... existing code ...\n")]).is_empty());
    assert!(check(&[block("python", ">>> f(\n"), block("json", "{\"a\": 1,\n  ...\n}")]).is_empty());
}

#[test]
fn an_unnamed_block_may_be_indented_or_hold_several_json_values() {
    assert!(check(&[block("python", "    def f():\n        return 1\n")]).is_empty());
    assert!(check(&[block("json", "{\"a\": 1}\n{\"a\": 2}\n")]).is_empty());
    assert_eq!(errors(&[block("python", "def f(:\n")]).len(), 1);
}

#[test]
fn survives_deep_nesting_and_strange_text() {
    let deep = "[".repeat(100_000);
    // Each took minutes where something was quadratic.
    for (path, text) in [
        ("a.js", "a=>"),
        ("a.c", "*"),
        ("a.ts", "a<"),
        ("a.py", "not "),
        ("a.html", "<div>"),
        ("a.sh", "if "),
    ] {
        let _ = check(&[file(path, &text.repeat(10_000))]);
    }
    for path in ["a.py", "a.js", "a.json", "a.yaml", "a.toml", "a.sql", "a.tf", "a.go"] {
        let _ = check(&[
            file(path, &deep),
            file("b.py", "\u{0}'\"\"\"\\"),
            file("c.sql", "$a$ '' ( % $ \u{1f980}"),
        ]);
    }
}
