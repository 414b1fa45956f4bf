//! Seeded answers of lazy and of honest models over files of 5 to 40 definitions.

use std::collections::BTreeMap;

use super::{marked, refactored};

/// Chance that is the same in every run.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Lang {
    Python,
    JavaScript,
    Rust,
    Go,
}

impl Lang {
    fn path(self) -> &'static str {
        match self {
            Lang::Python => "src/shop.py",
            Lang::JavaScript => "src/shop.js",
            Lang::Rust => "src/shop.rs",
            Lang::Go => "shop/shop.go",
        }
    }

    fn fence(self) -> &'static str {
        match self {
            Lang::Python => "python",
            Lang::JavaScript => "js",
            Lang::Rust => "rust",
            Lang::Go => "go",
        }
    }

    fn head(self) -> &'static str {
        match self {
            Lang::Python => "\"\"\"The shop.\"\"\"\n\nimport math\nimport os\n",
            Lang::JavaScript => "import fs from \"node:fs\";\n",
            Lang::Rust => "//! The shop.\n\nuse std::fmt;\n",
            Lang::Go => "package shop\n\nimport \"math\"\n",
        }
    }

    fn between(self) -> &'static str {
        if self == Lang::Python { "\n\n" } else { "\n" }
    }

    fn comment(self) -> &'static str {
        if self == Lang::Python { "#" } else { "//" }
    }
}

const NOUNS: [&str; 12] = [
    "order", "price", "stock", "rate", "basket", "coupon", "parcel", "invoice", "region", "refund",
    "carrier", "shelf",
];
const VERBS: [&str; 10] =
    ["load", "check", "total", "split", "round", "merge", "rank", "pack", "scale", "trace"];

/// A definition with a name of its own and a body that no other has.
fn definition(lang: Lang, name: &str, chance: &mut Seeded) -> String {
    let (noun, other) = (*chance.of(&NOUNS), *chance.of(&NOUNS));
    let (a, b, c) = (chance.below(900) + 11, chance.below(900) + 11, chance.below(90) + 3);
    let shape = chance.below(4);
    match (lang, shape) {
        (Lang::Python, 0) => format!(
            "def {name}({noun}):\n    limit = {a}\n    if {noun} > limit:\n        return {noun} - {b}\n    return {noun} * {c}\n"
        ),
        (Lang::Python, 1) => format!(
            "def {name}({noun}, {other}_2):\n    \"\"\"How {noun} and {other} go together.\"\"\"\n    return {noun} * {a} + {other}_2 % {b}\n"
        ),
        (Lang::Python, 2) => format!(
            "class {}:\n    size = {a}\n\n    def __init__(self, {noun}):\n        self.{noun} = {noun} + {b}\n\n    def grown(self):\n        return self.{noun} * {c}\n",
            camel(name)
        ),
        (Lang::Python, _) => format!(
            "def {name}(rows):\n    found = []\n    for row in rows:\n        if row % {c} == {a} % {c}:\n            found.append(row + {b})\n    return found\n"
        ),
        (Lang::JavaScript, 0) => format!(
            "export function {name}({noun}) {{\n  const limit = {a};\n  if ({noun} > limit) {{\n    return {noun} - {b};\n  }}\n  return {noun} * {c};\n}}\n"
        ),
        (Lang::JavaScript, 1) => format!(
            "export const {name} = ({noun}, {other}2) => {{\n  return {noun} * {a} + ({other}2 % {b});\n}};\n"
        ),
        (Lang::JavaScript, 2) => format!(
            "export class {} {{\n  constructor({noun}) {{\n    this.{noun} = {noun} + {a};\n  }}\n\n  grown() {{\n    return this.{noun} * {c} + {b};\n  }}\n}}\n",
            camel(name)
        ),
        (Lang::JavaScript, _) => format!(
            "function {name}(rows) {{\n  const found = [];\n  for (const row of rows) {{\n    if (row % {c} === {}) found.push(row + {b});\n  }}\n  return found.slice(0, {a});\n}}\n",
            a % c
        ),
        (Lang::Rust, 0) => format!(
            "/// Of one {noun}.\npub fn {name}({noun}: i64) -> i64 {{\n    let limit = {a};\n    if {noun} > limit {{\n        return {noun} - {b};\n    }}\n    {noun} * {c}\n}}\n"
        ),
        (Lang::Rust, 1) => format!(
            "#[must_use]\npub fn {name}(rows: &[i64]) -> Vec<i64> {{\n    rows.iter().filter(|row| *row % {c} == {}).map(|row| row + {b} * {a}).collect()\n}}\n",
            a % c
        ),
        (Lang::Rust, 2) => {
            format!("pub struct {} {{\n    pub {noun}: i64,\n    pub size_{a}: i64,\n}}\n", camel(name))
        }
        (Lang::Rust, _) => format!(
            "fn {name}({noun}: i64, {other}2: i64) -> i64 {{\n    match {noun} {{\n        {a} => {b},\n        other => other * {c} + {other}2,\n    }}\n}}\n"
        ),
        (Lang::Go, 0) => format!(
            "// {name} is of one {noun}.\nfunc {name}({noun} int) int {{\n\tlimit := {a}\n\tif {noun} > limit {{\n\t\treturn {noun} - {b}\n\t}}\n\treturn {noun} * {c}\n}}\n"
        ),
        (Lang::Go, 1) => format!(
            "func {name}(rows []int) []int {{\n\tvar found []int\n\tfor _, row := range rows {{\n\t\tif row%{c} == {} {{\n\t\t\tfound = append(found, row+{b})\n\t\t}}\n\t}}\n\treturn found[:{a}]\n}}\n",
            a % c
        ),
        (Lang::Go, 2) => format!("type {} struct {{\n\t{noun} int\n\tsize{a} int\n}}\n", camel(name)),
        (Lang::Go, _) => format!(
            "func {name}({noun} int, {other}2 float64) float64 {{\n\treturn float64({noun}*{a}) + math.Mod({other}2, {b}) + {c}\n}}\n"
        ),
    }
}

fn camel(name: &str) -> String {
    name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

/// A file: its definitions by the names under which a reader knows them.
struct Given {
    lang: Lang,
    definitions: Vec<(String, String)>,
}

impl Given {
    fn new(chance: &mut Seeded) -> Self {
        let lang = *chance.of(&[Lang::Python, Lang::JavaScript, Lang::Rust, Lang::Go]);
        let count = 5 + chance.below(36);
        let definitions = (0..count).map(|n| {
            let name = format!("{}_{}_{n}", chance.of(&VERBS), chance.of(&NOUNS));
            let name = if lang == Lang::JavaScript || lang == Lang::Go { lower_camel(&name) } else { name };
            let text = definition(lang, &name, chance);
            let known = if text.contains(&format!("{name}(")) || text.contains(&format!("{name} ")) {
                name
            } else {
                camel(&name)
            };
            (known, text)
        });
        let definitions: Vec<_> = definitions.collect();
        Given { lang, definitions }
    }

    fn text(&self) -> String {
        joined(self.lang, self.definitions.iter().map(|(_, text)| text.as_str()))
    }

    /// One definition with another body, as the instructions ask.
    fn changed(&self, at: usize) -> String {
        let (_, text) = &self.definitions[at];
        let mut digits = text.char_indices().filter(|(_, c)| c.is_ascii_digit()).map(|(at, _)| at);
        // The last number of the body; names hold numbers too.
        let Some(last) = digits.next_back() else { return text.clone() };
        format!("{}7{}", &text[..last], &text[last + 1..])
    }
}

fn lower_camel(name: &str) -> String {
    let camel = camel(name);
    camel[..1].to_lowercase() + &camel[1..]
}

fn joined<'a>(lang: Lang, texts: impl Iterator<Item = &'a str>) -> String {
    let mut all = lang.head().to_owned();
    for text in texts {
        all.push_str(lang.between());
        all.push_str(text);
    }
    all
}

fn seeds() -> u64 {
    if std::env::var_os("CAMPAIGN").is_some() { 5000 } else { 250 }
}

const MARKS: [&str; 8] = [
    "... existing code ...",
    "rest of the code unchanged",
    "... (other functions remain unchanged) ...",
    "[rest of the file unchanged]",
    "... rest of the file ...",
    "...",
    "... remaining functions ...",
    "existing code",
];

#[tokio::test]
async fn no_lazy_answer_is_accepted_with_a_lost_definition() {
    let (mut counts, mut lost, mut fillable, mut filled) = (BTreeMap::new(), Vec::new(), 0, 0);
    for seed in 0..seeds() {
        let mut chance = Seeded(seed);
        let given = Given::new(&mut chance);
        let (lang, count) = (given.lang, given.definitions.len());
        let at = chance.below(count);
        let changed = given.changed(at);
        let asked = format!("Change a number in {}.", given.definitions[at].0);
        let mut texts: Vec<String> = given.definitions.iter().map(|(_, text)| text.clone()).collect();
        texts[at] = changed.clone();
        let right = joined(lang, texts.iter().map(String::as_str));
        let kind =
            *chance.of(&["elides", "drops", "truncates", "reorders and drops", "fragment", "elides twice"]);
        let mark = format!("{} {}\n", lang.comment(), chance.of(&MARKS));
        let answer = match kind {
            "elides" | "elides twice" => {
                // What stands before and behind the change, or one of both.
                let (before, after) = (chance.below(at + 1), (count - 1 - at).min(chance.below(count)));
                // Something is left out in any case.
                let after =
                    if before == at && at + after + 1 == count { after.saturating_sub(1) } else { after };
                let before = if before == at && after == 0 && at + 1 == count { before - 1 } else { before };
                let mut kept: Vec<&str> = Vec::new();
                if at - before > 0 {
                    kept.push(&mark)
                }
                kept.extend(texts[at - before..=at + after].iter().map(String::as_str));
                if at + after + 1 < count {
                    kept.push(&mark)
                }
                joined(lang, kept.into_iter())
            }
            "drops" => {
                let gone = (at + 1 + chance.below(count - 1)) % count;
                joined(lang, (0..count).filter(|n| *n != gone).map(|n| texts[n].as_str()))
            }
            "truncates" => {
                let whole = joined(lang, texts.iter().map(String::as_str));
                let lines: Vec<&str> = whole.split_inclusive('\n').collect();
                let cut = lines.len() / 3 + chance.below(lines.len() / 2);
                lines[..cut].concat()
            }
            "reorders and drops" => {
                let gone = (at + 1 + chance.below(count - 1)) % count;
                joined(lang, (0..count).rev().filter(|n| *n != gone).map(|n| texts[n].as_str()))
            }
            _ => changed.clone(),
        };
        let is_named = kind != "fragment" || chance.below(2) == 0;
        let outcome = refactored(&[(lang.path(), &given.text())], &asked, |nonce| match is_named {
            true => marked(nonce, lang.path(), &answer),
            false => format!("Only this changes:\n\n```{}\n{answer}```\n", lang.fence()),
        });
        let outcome = outcome.await;
        *counts.entry(kind).or_insert(0) += 1;
        let can_fill = kind.starts_with("elides") || (kind == "fragment" && !is_named);
        fillable += usize::from(can_fill);
        let Ok(g) = outcome else { continue };
        if !g.accepted {
            continue;
        }
        let after = g.files.first().map(|file| file.content.clone()).unwrap_or_default();
        filled += usize::from(can_fill && after == right);
        let gone: Vec<&str> = (0..count)
            .filter(|n| !after.contains(texts[*n].trim_end()))
            .map(|n| given.definitions[n].0.as_str())
            .collect();
        if !gone.is_empty() {
            lost.push(format!("seed {seed}, {kind}, {lang:?}: {gone:?}"));
        }
    }
    println!(
        "lazy answers {counts:?}: {} accepted with a loss; {filled} of {fillable} that can be filled are",
        lost.len()
    );
    assert!(lost.is_empty(), "{}", lost.join("\n"));
    assert!(filled * 100 >= fillable * 95, "{filled} of {fillable}");
}

#[tokio::test]
async fn no_honest_answer_is_taken_for_a_lazy_one() {
    let (mut counts, mut wrong) = (BTreeMap::new(), Vec::new());
    for seed in 0..seeds() {
        let mut chance = Seeded(seed + 1_000_000);
        let given = Given::new(&mut chance);
        let (lang, count) = (given.lang, given.definitions.len());
        let at = chance.below(count);
        let name = given.definitions[at].0.clone();
        let mut texts: Vec<String> = given.definitions.iter().map(|(_, text)| text.clone()).collect();
        let kind =
            *chance.of(&["changes", "renames", "moves", "inlines", "adds", "reorders", "removes as asked"]);
        let (mut before, mut more, mut asked) =
            (given.text(), String::new(), "Make the code easier to read.".to_owned());
        match kind {
            "changes" => texts[at] = given.changed(at),
            "renames" => {
                let new = if name.starts_with(|c: char| c.is_uppercase()) {
                    "Renamed7".to_owned()
                } else {
                    "renamed_7".to_owned()
                };
                texts.iter_mut().for_each(|text| *text = text.replace(&name, &new));
            }
            "moves" => {
                let moved = texts.remove(at);
                let path = lang.path().replace("shop.", "moved.");
                more = format!("{path}\n{moved}");
                asked = "Split the file in two.".to_owned();
            }
            "inlines" => {
                let (helper, user, inlined) = inlining(lang);
                before = format!("{before}{}{helper}{}{user}", lang.between(), lang.between());
                texts.push(inlined.to_owned());
            }
            "adds" => texts.insert(at, definition(lang, "added_9", &mut chance)),
            "reorders" => texts.reverse(),
            _ => {
                texts.remove(at);
                asked = format!("Remove {name}: nothing calls it any more.");
            }
        }
        let answer = joined(lang, texts.iter().map(String::as_str));
        let outcome = refactored(&[(lang.path(), &before)], &asked, |nonce| {
            let other = more.split_once('\n').map(|(path, text)| marked(nonce, path, text));
            marked(nonce, lang.path(), &answer) + &other.unwrap_or_default()
        });
        *counts.entry(kind).or_insert(0) += 1;
        match outcome.await {
            Ok(g)
                if g.files[0].content == answer
                    && !g
                        .diagnostics
                        .iter()
                        .any(|d| d.message.contains("lost") || d.message.contains("left out")) => {}
            Ok(g) => wrong.push(format!("seed {seed}, {kind}, {lang:?}: {:?}", g.diagnostics)),
            Err(error) => wrong.push(format!("seed {seed}, {kind}, {lang:?}: {error}")),
        }
    }
    println!("honest answers {counts:?}: {} taken for lazy ones", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A helper, what uses it, and that with the helper's work in it.
fn inlining(lang: Lang) -> (&'static str, &'static str, &'static str) {
    match lang {
        Lang::Python => (
            "def with_tax(amount):\n    return amount * 1.19\n",
            "def bill(order):\n    return with_tax(order.net) + order.fee\n",
            "def bill(order):\n    return order.net * 1.19 + order.fee\n",
        ),
        Lang::JavaScript => (
            "function withTax(amount) {\n  return amount * 1.19;\n}\n",
            "export function bill(order) {\n  return withTax(order.net) + order.fee;\n}\n",
            "export function bill(order) {\n  return order.net * 1.19 + order.fee;\n}\n",
        ),
        Lang::Rust => (
            "fn with_tax(amount: f64) -> f64 {\n    amount * 1.19\n}\n",
            "pub fn bill(net: f64, fee: f64) -> f64 {\n    with_tax(net) + fee\n}\n",
            "pub fn bill(net: f64, fee: f64) -> f64 {\n    net * 1.19 + fee\n}\n",
        ),
        Lang::Go => (
            "func withTax(amount float64) float64 {\n\treturn amount * 1.19\n}\n",
            "func bill(net, fee float64) float64 {\n\treturn withTax(net) + fee\n}\n",
            "func bill(net, fee float64) float64 {\n\treturn net*1.19 + fee\n}\n",
        ),
    }
}
