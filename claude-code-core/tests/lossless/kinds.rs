//! Kinds of lost lines and of honest changes in files of which no tree tells the definitions.

use claude_code_core::ErrorKind;
use claude_code_core::read::read_answer;

use super::{accepted, marked, refactored, refused};

/// A path, how a comment begins and ends there, and three parts of a file; the first one is changed.
type Sample = (&'static str, &'static str, &'static str, [&'static str; 3]);

const SAMPLES: [Sample; 12] = [
    (
        "theme.scss",
        "// ",
        "",
        [
            ".card {\n  padding: 1px;\n}\n",
            ".list {\n  margin: 0;\n  gap: 2px;\n}\n",
            ".foot {\n  color: teal;\n  width: 3px;\n}\n",
        ],
    ),
    (
        "site.css",
        "/* ",
        " */",
        [
            "a {\n  padding: 1px;\n}\n",
            "b {\n  margin: 0;\n  gap: 2px;\n}\n",
            "i {\n  color: teal;\n  width: 3px;\n}\n",
        ],
    ),
    (
        "Dockerfile",
        "# ",
        "",
        ["FROM debian:1\n", "RUN apt-get update\nRUN make tools\n", "COPY . /app\nCMD run\n"],
    ),
    (
        "nginx.conf",
        "# ",
        "",
        ["listen 1;\n", "location /a {\n    root /srv;\n}\n", "location /b {\n    return 204;\n}\n"],
    ),
    (
        "schema.graphql",
        "# ",
        "",
        ["type A {\n  n: Int1\n}\n", "type B {\n  name: String\n}\n", "type C {\n  id: ID\n  of: B\n}\n"],
    ),
    (
        "core.clj",
        ";; ",
        "",
        ["(defn one []\n  1)\n", "(defn two [x]\n  (inc x))\n", "(defn three [x y]\n  (+ x y))\n"],
    ),
    (
        "model.R",
        "# ",
        "",
        [
            "one <- function(x) {\n  x + 1\n}\n",
            "two <- function(x) {\n  x * 2\n}\n",
            "three <- function(x) {\n  sqrt(x)\n}\n",
        ],
    ),
    (
        "Tree.hs",
        "-- ",
        "",
        [
            "one :: Int\none = 1\n",
            "two :: Int -> Int\ntwo x = x * 2\n",
            "three :: Int -> Int\nthree x = x - 3\n",
        ],
    ),
    (".env", "# ", "", ["LEVEL=1\n", "HOST=localhost\nPORT=8000\n", "KEY=abc\nMODE=dev\n"]),
    (
        "pom.xml",
        "<!-- ",
        " -->",
        [
            "<project>\n  <version>1</version>\n",
            "  <name>shop</name>\n  <url>x</url>\n",
            "  <license>MIT</license>\n</project>\n",
        ],
    ),
    (
        "Clock.vue",
        "<!-- ",
        " -->",
        [
            "<template>\n  <p>1</p>\n</template>\n",
            "<script setup>\nconst now = Date.now()\n</script>\n",
            "<style>\np {\n  color: teal;\n}\n</style>\n",
        ],
    ),
    (
        "paper.tex",
        "% ",
        "",
        [
            "\\section{One}\nIt is 1.\n",
            "\\section{Two}\nWe measure.\n",
            "\\section{Three}\nWe stop.\nThe end.\n",
        ],
    ),
];

/// What models write in the place of code, in several languages of people.
const WORDS: [&str; 14] = [
    "... existing code ...",
    "No changes below this line",
    "everything else stays the same",
    "same as before",
    "... the other parts ...",
    "[20 lines omitted]",
    "... and so on ...",
    "=== existing code ===",
    "snip",
    "TODO: keep the rest of the file",
    "... bestehender Code ...",
    "... resto del código ...",
    "... 其余代码保持不变 ...",
    "...",
];

fn whole(parts: &[&str]) -> String {
    parts.join("\n")
}

#[tokio::test]
async fn words_in_the_place_of_code_are_filled_in_or_refused_in_every_language() {
    let (mut ran, mut filled) = (0, 0);
    for (at, (path, open, close, parts)) in SAMPLES.into_iter().enumerate() {
        let changed = parts[0].replace('1', "17");
        let right = whole(&[changed.as_str(), parts[1], parts[2]]);
        for step in 0..WORDS.len() {
            let mark = format!("{open}{}{close}\n", WORDS[(at + step) % WORDS.len()]);
            let answer = match step % 2 {
                0 => whole(&[changed.as_str(), mark.as_str()]),
                _ => whole(&[changed.as_str(), mark.as_str(), parts[2]]),
            };
            let asked = "Change a number.";
            let outcome = refactored(&[(path, &whole(&parts))], asked, |n| marked(n, path, &answer)).await;
            ran += 1;
            match outcome {
                Ok(g) if g.accepted => {
                    assert_eq!(g.files[0].content, right, "{path}: {mark}");
                    filled += 1;
                }
                outcome => _ = refused(outcome),
            }
        }
    }
    println!("{ran} answers with words in the place of code: {filled} filled in, the others refused");
    assert!(filled * 10 >= ran * 7, "{filled} of {ran}");
}

#[tokio::test]
async fn a_file_that_ends_early_or_is_only_a_part_of_it_is_refused_in_every_language() {
    for (path, _, _, parts) in SAMPLES {
        let changed = parts[0].replace('1', "17");
        let all = whole(&[changed.as_str(), parts[1], parts[2]]);
        let (by_a_line, _) = all.trim_end().rsplit_once('\n').unwrap();
        let by_a_line = format!("{by_a_line}\n");
        let parts_of_it = [whole(&[changed.as_str(), parts[1]]), changed.clone(), parts[1].to_owned()];
        // Of prose one line may go.
        let by_a_line = (!path.ends_with(".tex")).then_some(by_a_line);
        for answer in parts_of_it.into_iter().chain(by_a_line) {
            let outcome =
                refactored(&[(path, &whole(&parts))], "Change a number.", |n| marked(n, path, &answer)).await;
            let why = refused(outcome);
            assert!(why.contains("lost") || why.contains("in it") || why.contains("closed"), "{path}: {why}");
        }
    }
}

#[tokio::test]
async fn what_the_instructions_name_may_go_and_what_is_rewritten_or_moved_is_not_lost() {
    let cases = [
        (
            "a.css",
            "Remove the footer rule.",
            "a {\n  top: 1px;\n}\n\nfooter {\n  color: red;\n  margin: 0;\n}\n",
            "a {\n  top: 1px;\n}\n",
        ),
        (
            "Dockerfile",
            "Make it one layer.",
            "FROM a\nRUN apt-get update\nRUN apt-get install -y git\nRUN apt-get clean\nCMD b\n",
            "FROM a\nRUN apt-get update && apt-get install -y git && apt-get clean\nCMD b\n",
        ),
        (
            "a.test.js",
            "Use a table.",
            "test('one', () => {\n  expect(add(1, 1)).toBe(2);\n});\n\ntest('two', () => {\n  expect(add(2, 2)).toBe(4);\n});\n\ntest('three', () => {\n  expect(add(3, 3)).toBe(6);\n});\n",
            "test.each([[1, 2], [2, 4], [3, 6]])('%d', (n, sum) => {\n  expect(add(n, n)).toBe(sum);\n});\n",
        ),
        (
            "a.py",
            "Put it in a function.",
            "rows = [1, 2]\ntotal = 0\nfor row in rows:\n    total += row\nprint(total)\n",
            "def main():\n    rows = [1, 2]\n    total = 0\n    for row in rows:\n        total += row\n    print(total)\n\n\nmain()\n",
        ),
        (
            "a.rs",
            "Derive it.",
            "pub struct P {\n    x: i32,\n}\n\nimpl Default for P {\n    fn default() -> Self {\n        P { x: 0 }\n    }\n}\n",
            "#[derive(Default)]\npub struct P {\n    x: i32,\n}\n",
        ),
        (
            "A.jsx",
            "Use hooks.",
            "import React from 'react';\n\nexport class A extends React.Component {\n  constructor(props) {\n    super(props);\n    this.state = { n: 0 };\n  }\n\n  more() {\n    this.setState({ n: this.state.n + 1 });\n  }\n\n  render() {\n    return <b onClick={() => this.more()}>{this.state.n}</b>;\n  }\n}\n",
            "import { useState } from 'react';\n\nexport function A() {\n  const [n, setN] = useState(0);\n  const more = () => setN(n + 1);\n  return <b onClick={more}>{n}</b>;\n}\n",
        ),
        (
            "README.md",
            "Drop what is outdated.",
            "# Tool\n\nWords.\n\n## News\n\nVersion 2 is out.\nIt is fast.\n\n## Use\n\nRun it.\n",
            "# Tool\n\nWords.\n\n## Use\n\nRun it.\n",
        ),
        (
            "todo.dart",
            "Sort it.",
            "class B {\n  final int n;\n  B(this.n);\n}\n\nint a() {\n  return 1;\n}\n\nint c(int x) {\n  final y = x + 2;\n  return y * 3;\n}\n",
            "int a() {\n  return 1;\n}\n\nint c(int x) {\n  final y = x + 2;\n  return y * 3;\n}\n\nclass B {\n  final int n;\n  B(this.n);\n}\n",
        ),
        (
            "deploy.sh",
            "The image has the tools already.",
            "set -e\nget git\nget curl\nmake\n",
            "set -e\n# git and curl are a part of the image\nmake\n",
        ),
        (
            "a.py",
            "Dots, not pass.",
            "class A:\n    def one(self):\n        pass\n",
            "class A:\n    def one(self):\n        ...\n",
        ),
        (
            "GUIDE.md",
            "Show how a part is written.",
            "# Guide\n\nWords.\n",
            "# Guide\n\nWords.\n\n```js\nadd(1);\n// ... the rest of the code ...\n```\n",
        ),
    ];
    for (path, asked, before, after) in cases {
        let outcome = refactored(&[(path, before)], asked, |n| marked(n, path, after)).await;
        assert_eq!(accepted(outcome), after, "{path}: {asked}");
    }
}

#[tokio::test]
async fn a_name_of_a_file_in_the_instructions_does_not_name_what_it_defines() {
    let given = "public class Ledger {\n    int sum;\n\n    void book(int n) {\n        sum += n;\n    }\n\n    int balance() {\n        return sum;\n    }\n}\n";
    let part = "    void book(int n) {\n        sum += Math.abs(n);\n    }\n";
    for asked in ["Change book in Ledger.java.", "Make the Ledger safe."] {
        let outcome =
            refactored(&[("src/Ledger.java", given)], asked, |n| marked(n, "src/Ledger.java", part)).await;
        let why = refused(outcome);
        assert!(why.contains("lost"), "{asked}: {why}");
    }
}

#[tokio::test]
async fn files_and_edits_in_the_tags_of_tools_are_read() {
    let given = "one = 1\ntwo = 2\nthree = 3\n";
    let right = given.replace("two = 2", "two = 20");
    let edit = "<search>\ntwo = 2\n</search>\n<replace>\ntwo = 20\n</replace>\n";
    for answer in [
        format!("<write_to_file>\n<path>a.ini</path>\n<content>\n{right}</content>\n</write_to_file>\n"),
        format!("<file path='a.ini'>\n{right}</file>\n"),
        format!("<file path=\"a.ini\"><![CDATA[{right}]]></file>\n"),
        format!("<edit path=\"a.ini\">\n{edit}</edit>\n"),
        format!("<edit>\n<path>a.ini</path>\n{edit}</edit>\n"),
        "<file>a.ini</file>\n<old_str>\ntwo = 2\n</old_str>\n<new_str>\ntwo = 20\n</new_str>\n".to_owned(),
    ] {
        let outcome = refactored(&[("a.ini", given)], "change it", |_| answer.clone()).await;
        assert_eq!(accepted(outcome), right, "{answer}");
    }
}

#[tokio::test]
async fn marks_of_an_answer_never_become_lines_of_a_file() {
    let given = "one = 1\ntwo = 2\nthree = 3\n";
    for (first, last) in [
        ("<search>\n", "</replace>\n"),
        ("*** Begin Patch\n", "*** End Patch\n"),
        ("cat > a.conf <<'EOF'\n", "EOF\n"),
        ("", ">>>>>>> REPLACE\n"),
        ("<![CDATA[\n", "]]>\n"),
        ("numbers", ""),
    ] {
        let answer = match first {
            "numbers" => "1|one = 1\n2|two = 2\n3|three = 3\n".to_owned(),
            _ => format!("{first}{given}{last}"),
        };
        let outcome = refactored(&[("a.conf", given)], "change it", |n| marked(n, "a.conf", &answer)).await;
        refused(outcome);
    }
}

#[tokio::test]
async fn a_piece_of_a_line_is_replaced_where_words_begin_and_end() {
    let given = "max = 10\nmin = 1\nname = shop\n";
    let edit = |search: &str, replace: &str| {
        format!("a.ini\n<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n")
    };
    let outcome = refactored(&[("a.ini", given)], "change it", |_| edit("shop", "store")).await;
    assert_eq!(accepted(outcome), given.replace("shop", "store"));
    for (search, replace) in [("x = 1", "x = 2"), ("n = 1", "n = 2"), ("shop", "store\nsize = 1")] {
        let outcome = refactored(&[("a.ini", given)], "change it", |_| edit(search, replace)).await;
        refused(outcome);
    }
}

#[tokio::test]
async fn a_given_file_with_a_nul_byte_is_refused_before_anything_is_sent() {
    let outcome = refactored(&[("a.bin", "a\0b\n")], "change it", |n| marked(n, "a.bin", "ab\n")).await;
    let error = outcome.unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidRequest && error.message().contains("NUL"), "{error}");
}

#[tokio::test]
async fn an_edit_that_takes_all_lines_away_is_refused_and_a_header_in_its_replacement_is_none_of_them() {
    let given = "one = 1\ntwo = 2\n";
    let emptied = "```diff\n--- a/a.ini\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one = 1\n-two = 2\n```\n";
    let outcome = refactored(&[("a.ini", given)], "change it", |_| emptied.to_owned()).await;
    assert!(refused(outcome).contains("empty"));
    let header = ":start_line:2\n-------\n";
    let edit =
        format!("a.ini\n<<<<<<< SEARCH\n{header}two = 2\n=======\n{header}two = 20\n>>>>>>> REPLACE\n");
    let outcome = refactored(&[("a.ini", given)], "change it", |_| edit.clone()).await;
    assert_eq!(accepted(outcome), "one = 1\ntwo = 20\n");
}

#[test]
fn an_answer_within_one_fence_of_markdown_is_its_files() {
    let inner = "### a.py\n\n```python\nx = 1\n```\n\nAnd:\n\n**b.txt**\n\n```text\nend\n```\n";
    for (open, close) in [("```markdown", "```"), ("````md", "````"), ("````", "````")] {
        let answer = read_answer(&format!("Here:\n\n{open}\n{inner}{close}\n"));
        let files: Vec<_> = answer.files.iter().map(|f| (f.path.as_deref(), f.content.as_str())).collect();
        assert_eq!(files, [(Some("a.py"), "x = 1\n"), (Some("b.txt"), "end\n")], "{open}");
    }
    let document = "# Tool\n\nIt does what `a.py` says, and a good deal more than that.\n\n### a.py\n\n```python\nx = 1\n```\n";
    let answer = read_answer(&format!("````markdown\n{document}````\n"));
    assert_eq!((answer.files.len(), answer.files[0].content.as_str()), (1, document));
}

#[test]
fn a_fence_within_text_of_the_code_ends_no_block_in_any_language() {
    for (info, before, after) in [
        ("lua", "local s = [[\n", "]]\n\nreturn s\n"),
        ("elixir", "defmodule A do\n@doc \"\"\"\n", "\"\"\"\nend\n"),
        ("haskell", "{-\n", "-}\nmodule A where\n"),
        ("clojure", "(def s \"\n", "\")\n\n(def y 1)\n"),
        ("powershell", "$s = @'\n", "'@\n\nWrite-Output $s\n"),
        ("r", "s <- \"\n", "\"\n\nf <- function() 1\n"),
        ("ruby", "S = <<~EOS\n", "EOS\n\ndef f\n  1\nend\n"),
        ("hcl", "output \"x\" {\n  value = <<EOT\n", "EOT\n}\n"),
        ("sql", "INSERT INTO t VALUES ('\n", "');\n\nSELECT 1;\n"),
        ("html", "<html><body>\n<pre>\n", "</pre>\n</body></html>\n"),
    ] {
        let code = format!("{before}```\nx\n```\n{after}");
        let answer = read_answer(&format!("Here:\n\n```{info}\n{code}```\n\nBye.\n"));
        assert_eq!((answer.files.len(), answer.files[0].content.as_str()), (1, code.as_str()), "{info}");
    }
    let yaml = "a: |\n  ```\n  x\n  ```\nb: 1\n";
    let answer = read_answer(&format!("```yaml\n{yaml}```\n\n```yaml\nc: 2\n```\n"));
    assert_eq!((answer.files.len(), answer.files[0].content.as_str()), (2, yaml));
}
