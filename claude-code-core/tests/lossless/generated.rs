//! Files of 5 to 40 definitions in ten languages, and what an honest change makes of one.

/// Chance that is the same in every run.
pub(super) struct Seeded(pub(super) u64);

impl Seeded {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }

    pub(super) fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lang {
    Python,
    JavaScript,
    TypeScript,
    Rust,
    Go,
    C,
    Cpp,
    Java,
    Ruby,
    Php,
}

const LANGS: [Lang; 10] = [
    Lang::Python,
    Lang::JavaScript,
    Lang::TypeScript,
    Lang::Rust,
    Lang::Go,
    Lang::C,
    Lang::Cpp,
    Lang::Java,
    Lang::Ruby,
    Lang::Php,
];

impl Lang {
    pub(super) fn path(self) -> &'static str {
        match self {
            Lang::Python => "src/shop.py",
            Lang::JavaScript => "src/shop.js",
            Lang::TypeScript => "src/shop.ts",
            Lang::Rust => "src/shop.rs",
            Lang::Go => "shop/shop.go",
            Lang::C => "src/shop.c",
            Lang::Cpp => "src/shop.cpp",
            Lang::Java => "src/Shop.java",
            Lang::Ruby => "lib/shop.rb",
            Lang::Php => "src/shop.php",
        }
    }

    pub(super) fn fence(self) -> &'static str {
        self.path().rsplit('.').next().unwrap()
    }

    pub(super) fn head(self) -> &'static str {
        match self {
            Lang::Python => "\"\"\"The shop.\"\"\"\n\nimport math\nimport os\n",
            Lang::JavaScript | Lang::TypeScript => "import fs from \"node:fs\";\n",
            Lang::Rust => "//! The shop.\n\nuse std::fmt;\n",
            Lang::Go => "package shop\n\nimport \"math\"\n",
            Lang::C => "#include <stdlib.h>\n#include \"shop.h\"\n",
            Lang::Cpp => "#include <vector>\n",
            Lang::Java => "package shop;\n\nimport java.util.List;\n\npublic class Shop {\n",
            Lang::Ruby => "# frozen_string_literal: true\n\nrequire \"set\"\n",
            Lang::Php => "<?php\n\nnamespace Shop;\n",
        }
    }

    /// What stands behind all definitions.
    pub(super) fn foot(self) -> &'static str {
        if self == Lang::Java { "}\n" } else { "" }
    }

    pub(super) fn between(self) -> &'static str {
        if self == Lang::Python { "\n\n" } else { "\n" }
    }

    pub(super) fn comment(self) -> &'static str {
        match self {
            Lang::Python | Lang::Ruby => "#",
            Lang::Java => "    //",
            _ => "//",
        }
    }
}

const NOUNS: [&str; 12] = [
    "order", "price", "stock", "rate", "basket", "coupon", "parcel", "invoice", "region", "refund",
    "carrier", "shelf",
];
const VERBS: [&str; 10] =
    ["load", "check", "total", "split", "round", "merge", "rank", "pack", "scale", "trace"];

/// A definition with a name of its own and a body that no other has.
pub(super) fn definition(lang: Lang, name: &str, chance: &mut Seeded) -> String {
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
        (Lang::C | Lang::Cpp, 0) => format!(
            "/* Of one {noun}. */\nint {name}(int {noun})\n{{\n    int limit = {a};\n    if ({noun} > limit) {{\n        return {noun} - {b};\n    }}\n    return {noun} * {c};\n}}\n"
        ),
        (Lang::C | Lang::Cpp, 1) => format!(
            "static long {name}(const int *rows, int count) {{\n    long found = {a};\n    for (int i = 0; i < count; i++) {{\n        found += rows[i] % {c} + {b};\n    }}\n    return found;\n}}\n"
        ),
        (Lang::C | Lang::Cpp, 2) => {
            format!("struct {} {{\n    int {noun};\n    long size_{a};\n}};\n", camel(name))
        }
        (Lang::C | Lang::Cpp, _) => format!(
            "double {name}(double {noun}, double {other}2) {{\n    return {noun} * {a} + {other}2 / {b} - {c};\n}}\n"
        ),
        (Lang::Java, 0) => format!(
            "    public int {name}(int {noun}) {{\n        int limit = {a};\n        if ({noun} > limit) {{\n            return {noun} - {b};\n        }}\n        return {noun} * {c};\n    }}\n"
        ),
        (Lang::Java, 1) => format!(
            "    /** Of one {noun}. */\n    @Deprecated\n    static long {name}(List<Integer> rows) {{\n        return rows.stream().filter(row -> row % {c} > 1).mapToLong(row -> row + {b}).limit({a}).sum();\n    }}\n"
        ),
        (Lang::Java, 2) => format!("    record {}(int {noun}, int size{a}) {{}}\n", camel(name)),
        (Lang::Java, _) => format!(
            "    String {name}(String {noun}, int {other}2) {{\n        var found = {noun}.repeat({c});\n        return found + ({other}2 * {a} % {b});\n    }}\n"
        ),
        (Lang::TypeScript, 0) => format!(
            "export function {name}({noun}: number): number {{\n  const limit = {a};\n  if ({noun} > limit) {{\n    return {noun} - {b};\n  }}\n  return {noun} * {c};\n}}\n"
        ),
        (Lang::TypeScript, 1) => format!(
            "export const {name} = ({noun}: number, {other}2: number): number => {{\n  return {noun} * {a} + ({other}2 % {b});\n}};\n"
        ),
        (Lang::TypeScript, 2) => {
            format!("export interface {} {{\n  {noun}: number;\n  size{a}: string;\n}}\n", camel(name))
        }
        (Lang::TypeScript, _) => format!(
            "async function {name}(rows: number[]): Promise<number[]> {{\n  const found: number[] = [];\n  for (const row of rows) {{\n    if (row % {c} === 1) found.push(row + {b});\n  }}\n  return found.slice(0, {a});\n}}\n"
        ),
        (Lang::Ruby, 0) => format!(
            "# Of one {noun}.\ndef {name}({noun})\n  limit = {a}\n  return {noun} - {b} if {noun} > limit\n\n  {noun} * {c}\nend\n"
        ),
        (Lang::Ruby, 1) => format!(
            "def {name}(rows)\n  rows.select {{ |row| (row % {c}).zero? }}\n      .map {{ |row| row + {b} }}\n      .first({a})\nend\n"
        ),
        (Lang::Ruby, 2) => format!(
            "class {}\n  def initialize({noun})\n    @{noun} = {noun} + {a}\n  end\n\n  def grown\n    @{noun} * {c} + {b}\n  end\nend\n",
            camel(name)
        ),
        (Lang::Ruby, _) => format!(
            "def {name}({noun}, {other}2)\n  total = {noun} * {a}\n  total + {other}2 % {b} - {c}\nend\n"
        ),
        (Lang::Php, 0) => format!(
            "/** Of one {noun}. */\nfunction {name}(int ${noun}): int\n{{\n    $limit = {a};\n    if (${noun} > $limit) {{\n        return ${noun} - {b};\n    }}\n    return ${noun} * {c};\n}}\n"
        ),
        (Lang::Php, 1) => format!(
            "function {name}(array $rows): array\n{{\n    $found = array_filter($rows, fn ($row) => $row % {c} > 1);\n    return array_slice($found, {a}, {b});\n}}\n"
        ),
        (Lang::Php, 2) => format!(
            "final class {}\n{{\n    public int ${noun} = {a};\n\n    public function grown(): int\n    {{\n        return $this->{noun} * {c} + {b};\n    }}\n}}\n",
            camel(name)
        ),
        (Lang::Php, _) => format!(
            "function {name}(float ${noun}, float ${other}2): float\n{{\n    return ${noun} * {a} + ${other}2 / {b} - {c};\n}}\n"
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
pub(super) struct Given {
    pub(super) lang: Lang,
    pub(super) definitions: Vec<(String, String)>,
}

impl Given {
    pub(super) fn new(chance: &mut Seeded) -> Self {
        let lang = *chance.of(&LANGS);
        let count = 5 + chance.below(36);
        let definitions = (0..count).map(|n| {
            let name = format!("{}_{}_{n}", chance.of(&VERBS), chance.of(&NOUNS));
            let is_camel = matches!(lang, Lang::JavaScript | Lang::TypeScript | Lang::Go | Lang::Java);
            let name = if is_camel { lower_camel(&name) } else { name };
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

    pub(super) fn text(&self) -> String {
        joined(self.lang, self.definitions.iter().map(|(_, text)| text.as_str()))
    }

    /// One definition with another body, as the instructions ask.
    pub(super) fn changed(&self, at: usize) -> String {
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

pub(super) fn joined<'a>(lang: Lang, texts: impl Iterator<Item = &'a str>) -> String {
    let mut all = lang.head().to_owned();
    for text in texts {
        all.push_str(lang.between());
        all.push_str(text);
    }
    all.push_str(lang.foot());
    all
}

/// A helper, what uses it, and that with the helper's work in it.
pub(super) fn inlining(lang: Lang) -> (&'static str, &'static str, &'static str) {
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
        Lang::TypeScript => (
            "const withTax = (amount: number): number => amount * 1.19;\n",
            "export function bill(net: number, fee: number): number {\n  return withTax(net) + fee;\n}\n",
            "export function bill(net: number, fee: number): number {\n  return net * 1.19 + fee;\n}\n",
        ),
        Lang::C | Lang::Cpp => (
            "static double with_tax(double amount) {\n    return amount * 1.19;\n}\n",
            "double bill(double net, double fee) {\n    return with_tax(net) + fee;\n}\n",
            "double bill(double net, double fee) {\n    return net * 1.19 + fee;\n}\n",
        ),
        Lang::Java => (
            "    private double withTax(double amount) {\n        return amount * 1.19;\n    }\n",
            "    double bill(double net, double fee) {\n        return withTax(net) + fee;\n    }\n",
            "    double bill(double net, double fee) {\n        return net * 1.19 + fee;\n    }\n",
        ),
        Lang::Ruby => (
            "def with_tax(amount)\n  amount * 1.19\nend\n",
            "def bill(net, fee)\n  with_tax(net) + fee\nend\n",
            "def bill(net, fee)\n  net * 1.19 + fee\nend\n",
        ),
        Lang::Php => (
            "function with_tax(float $amount): float\n{\n    return $amount * 1.19;\n}\n",
            "function bill(float $net, float $fee): float\n{\n    return with_tax($net) + $fee;\n}\n",
            "function bill(float $net, float $fee): float\n{\n    return $net * 1.19 + $fee;\n}\n",
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
