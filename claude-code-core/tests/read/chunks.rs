//! The events depend on the answer, never on how it was cut into chunks.

use claude_code_core::answer::path::{MAX_FILE_BYTES, MAX_TOTAL_BYTES};
use claude_code_core::read::{Answer, AnswerReader};
use proptest::prelude::*;

use super::{corpus, merge};

const FILE: &str = "answers.jsonl";
/// Answers made here, beside the recorded ones.
const GENERATED: usize = 310;

/// Parts of which hard answers are made.
const PARTS: &[&str] = &[
    "```\n",
    "```python\n",
    "````markdown\n",
    "````\n",
    "~~~\n",
    "```markdown\n",
    "\n",
    "\n",
    "Text.\n",
    "Then:\n",
    "**app.py**\n",
    "### `src/x.ts`\n",
    "x = 1\n",
    "    indented\n",
    "- item\n",
    "  - deep\n",
    "   ```sh\n",
    "   ```\n",
    "> quoted\n",
    "> ```\n",
    "<<<<<<< SEARCH\n",
    "=======\n",
    ">>>>>>> REPLACE\n",
    "a.py\n",
    "# a.py\n",
    "\r\n",
    "x\r\n",
    "```\r\n",
    "=== file 0badc0de: a.py ===\n",
    "=== end 0badc0de: a.py ===\n",
    "=== file 0badc0de: b.py ===\n",
    "=== end 0badc0de: b.py ===\n",
    "<div>\n",
    "<!-- x.html -->\n",
    "日本語\n",
    "é",
    "\t```\n",
    "1. one\n",
    "#!/bin/sh\n",
    "def f():\n",
    "no newline",
];

/// A small generator of numbers with a seed, so that a failure can be repeated.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

fn generated(seed: u64) -> String {
    let mut numbers = Numbers(seed);
    (0..numbers.below(60)).map(|_| PARTS[numbers.below(PARTS.len())]).collect()
}

fn cut<'a>(text: &'a str, longest: usize, numbers: &mut Numbers) -> Vec<&'a str> {
    let (mut chunks, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let end = rest.ceil_char_boundary((1 + numbers.below(longest)).min(rest.len()));
        let (head, tail) = rest.split_at(end);
        chunks.push(head);
        rest = tail;
    }
    chunks
}

fn check(text: &str, seed: u64) {
    let mut numbers = Numbers(seed);
    for nonce in [None, Some("0badc0de")] {
        let whole = merge::read([text], nonce);
        merge::check_previews(&whole.0, &whole.1);
        for longest in [1, 7, 64] {
            let chunks = cut(text, longest, &mut numbers);
            assert_eq!(merge::read(chunks, nonce), whole, "seed {seed}, chunks up to {longest}:\n{text}");
        }
    }
}

#[test]
fn any_chunking_of_a_recorded_answer_gives_the_same_events() {
    let records = corpus::records(FILE);
    for (seed, record) in (1..).zip(&records) {
        check(record["text"].as_str().unwrap(), seed);
    }
    corpus::print_count(FILE, records.len(), records.len());
}

#[test]
fn any_chunking_of_a_generated_answer_gives_the_same_events() {
    (0..GENERATED).for_each(|at| check(&generated(1000 + at as u64), at as u64));
    println!("generated answers: {GENERATED} ran");
}

/// Lines with a word of their own, between all that may hide them.
const LINES: &[&str] = &[
    "word{}\n",
    "word{}\n",
    "word{}.\n",
    "# word{}\n",
    "    word{}\n",
    "- word{}\n",
    "> word{}\n",
    "   word{}\r\n",
    "1. word{}:\n",
    "**word{}.py**\n",
    "**word{}.md**\n",
    "```\n",
    "```\n",
    "```\n",
    "```python\n",
    "```markdown\n",
    "````\n",
    "````markdown\n",
    "~~~\n",
    "   ```\n",
    "\n",
    "\n",
    "\n",
    "<<<<<<< SEARCH\n",
    "=======\n",
    ">>>>>>> REPLACE\n",
    "...\n",
    "<div>\n",
    "\tword{}\n",
];

/// Everything that an answer kept.
fn kept(answer: &Answer) -> String {
    let files = answer.files.iter().map(|f| f.content.as_str());
    files.chain([answer.text.as_str()]).collect::<Vec<_>>().join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn loses_no_line(lines in proptest::collection::vec(0..LINES.len(), 0..60)) {
        let each = lines.iter().enumerate();
        let text: String = each.map(|(at, line)| LINES[*line].replace("{}", &format!("{at}z"))).collect();
        let (pieces, answer) = merge::read([text.as_str()], None);
        merge::check_previews(&pieces, &answer);
        let kept = kept(&answer);
        for (at, line) in lines.iter().enumerate() {
            let word = format!("word{at}z");
            prop_assert!(!LINES[*line].contains("word") || kept.contains(&word), "{} of:\n{}", word, text);
        }
    }

    #[test]
    fn reads_anything(text in "(\\PC|[`~\n\r\t =<>#*-]){0,300}") {
        let (pieces, answer) = merge::read([text.as_str()], None);
        merge::check_previews(&pieces, &answer);
    }
}

/// Answers that pass a bound: a file, the files together, the text, and one line alone.
fn beyond_the_bounds() -> [(&'static str, String); 5] {
    let line = "é = 1  # a line of a long file\n";
    let file = |name: &str, bytes: usize| {
        format!(
            "=== file 0badc0de: {name} ===\n{}=== end 0badc0de: {name} ===\n",
            line.repeat(bytes / line.len())
        )
    };
    let fence = format!("```text\n{}```\nText.\n", line.repeat(3_000_000 / line.len()));
    let nine: String = (0..9).map(|at| file(&format!("f{at}.py"), 1_900_000)).collect();
    [
        ("file", file("a.py", 3_000_000) + "Text.\n"),
        ("fence", fence),
        ("files", nine),
        ("text", "Some words of prose.\n".repeat(19_000_000 / 21) + "end\n"),
        ("line", format!("```text\n{}\n```\n", "é".repeat(1_500_000))),
    ]
}

#[test]
fn a_line_too_long_to_be_waited_for_is_passed_on_in_parts() {
    let long = "é".repeat(600_000);
    let texts = [
        format!("```text\n{long}\nb\n```\n"),
        format!("```text\na\n{long}```\nb\n```\n"),
        format!("```markdown\na\n```\n{long}\n```\n\n```\n"),
        format!("=== file 0badc0de: a.md ===\n{long}\n=== end 0badc0de: a.md ===\n{long}"),
        format!("Text {long}\n> {long}\n```{long}\n{long}"),
        format!("a.py\n<<<<<<< SEARCH\n{long}\n=======\nb\n>>>>>>> REPLACE\n"),
    ];
    for (at, text) in texts.iter().enumerate() {
        let whole = merge::read([text.as_str()], Some("0badc0de"));
        merge::check_previews(&whole.0, &whole.1);
        // An info string is no content.
        let info = whole.1.fences.iter().map(|fence| fence.info.len()).sum::<usize>();
        assert!(
            kept(&whole.1).len() + info + 200 >= text.len(),
            "{at}: {} of {}",
            kept(&whole.1).len(),
            text.len()
        );
        for size in [999_999, 4096] {
            let mut chunks = Vec::new();
            let mut rest = text.as_str();
            while !rest.is_empty() {
                let (chunk, after) = rest.split_at(rest.ceil_char_boundary(size.min(rest.len())));
                chunks.push(chunk);
                rest = after;
            }
            assert!(merge::read(chunks, Some("0badc0de")) == whole, "{at} in chunks of {size}");
        }
    }
    // What is waited for is bounded: the first part is shown before the line ends.
    let mut reader = AnswerReader::new(None, None);
    assert!(!reader.feed(&format!("```text\na\n{}", "x".repeat(1_000_001))).is_empty());
    assert_eq!(reader.feed("yy").len(), 1);
}

#[test]
fn a_bound_cuts_at_the_same_place_in_any_chunking() {
    for (what, text) in beyond_the_bounds() {
        let whole = merge::read([text.as_str()], Some("0badc0de"));
        let answer = &whole.1;
        let (files, kept) = (
            answer.files.iter().map(|f| f.size()).sum::<usize>(),
            answer.files.iter().map(|f| f.size()).max(),
        );
        let expected = match what {
            "files" => files == MAX_TOTAL_BYTES,
            "text" => answer.text.len() == MAX_TOTAL_BYTES,
            _ => kept.is_some_and(|size| (MAX_FILE_BYTES - 1..=MAX_FILE_BYTES).contains(&size)),
        };
        assert!(expected, "{what}: {files} bytes of files, {kept:?} of one, {} of text", answer.text.len());
        assert!(!answer.complete && answer.notes.len() == 1, "{what}: {:?}", answer.notes);
        for size in [1_000_003, 4096, 61] {
            let mut at = 0;
            let cut = std::iter::from_fn(|| {
                let end = text.ceil_char_boundary((at + size).min(text.len()));
                let part = text.get(at..end).filter(|part| !part.is_empty());
                at = end;
                part
            });
            assert!(merge::read(cut, Some("0badc0de")) == whole, "{what} in chunks of {size}");
        }
    }
}
