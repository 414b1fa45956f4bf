//! How fast a file of 1,000 lines is checked, and whether time grows with size alone.
//!
//! `cargo bench -p claude-code-core --bench validate --features syntax-all` prints a table; with `ASSERT=1` it fails above
//! 2 ms for the judge of syntax, above 6 ms for the whole, or where twice the text takes 2.5 times as long. A block
//! without a name is judged by its syntax alone; a file with a name has a contract too.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::time::{Duration, Instant};

use claude_code_core::validate::check;
use claude_code_core::{CodeFile, Language};

const RUNS: usize = 40;
const SYNTAX: Duration = Duration::from_millis(2);
const WHOLE: Duration = Duration::from_millis(6);

const PYTHON: &str = "class Store{n}:\n    \"\"\"Orders by their number.\"\"\"\n\n    def __init__(self, path: str) -> None:\n        self.path = path\n        self.orders: dict[int, str] = {}\n\n    def find(self, number: int) -> str:\n        if number not in self.orders:\n            raise KeyError(f\"no order {number} in {self.path}\")\n        return self.orders[number]\n\n    def total(self, prices: list[int]) -> int:\n        total = 0\n        for price in prices:\n            total += price * len(self.orders)\n        return total\n\n\nSTORE_{n} = Store{n}(\"orders-{n}.json\").total([1, 2, 3])\n";

const TYPESCRIPT: &str = "export interface Line{n} {\n  name: string;\n  cents: number;\n}\n\nexport class Store{n}<T extends Line{n}> {\n  private readonly lines = new Map<string, T>();\n\n  find(name: string): T | undefined {\n    const line = this.lines.get(name);\n    if (line === undefined) {\n      throw new Error(`no line ${name} in {n}`);\n    }\n    return line;\n  }\n\n  total(filter: (line: T) => boolean = () => true): number {\n    return [...this.lines.values()].filter(filter).reduce((sum, line) => sum + line.cents, 0);\n  }\n}\n";

fn text(part: &str, lines: usize) -> String {
    let each = part.lines().count();
    (0..lines / each).map(|n| part.replace("{n}", &n.to_string())).collect()
}

fn best(file: &CodeFile) -> Duration {
    let run = || {
        let begun = Instant::now();
        assert_eq!(std::hint::black_box(check(std::slice::from_ref(file))), []);
        begun.elapsed()
    };
    (0..RUNS).map(|_| run()).min().unwrap()
}

fn main() {
    let assert = std::env::var_os("ASSERT").is_some();
    println!(
        "{:<12} {:>7} {:>12} {:>12} {:>18}",
        "language", "lines", "syntax ms", "whole ms", "time(2n)/time(n)"
    );
    for (language, path, part) in [("python", "a.py", PYTHON), ("typescript", "a.ts", TYPESCRIPT)] {
        let file = |lines, path: Option<&str>| CodeFile {
            path: path.map(str::to_owned),
            language: Language::new(language).unwrap(),
            content: text(part, lines),
            complete: true,
            rejected: None,
        };
        let (syntax, whole) = (best(&file(1_000, None)), best(&file(1_000, Some(path))));
        let growth =
            best(&file(8_000, Some(path))).as_secs_f64() / best(&file(4_000, Some(path))).as_secs_f64();
        let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
        println!("{language:<12} {:>7} {:>12.2} {:>12.2} {growth:>18.2}", 1_000, ms(syntax), ms(whole));
        if assert && (syntax > SYNTAX || whole > WHOLE || growth > 2.5) {
            panic!("{language}: out of bounds");
        }
    }
}
