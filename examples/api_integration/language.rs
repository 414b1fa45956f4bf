//! The languages of a client: the runtime that it builds upon, what is said to the model, what checks it.

use clap::ValueEnum;
use claude_code_aws::request::SourceFile;

/// The name under which the model sees the document.
pub(crate) const DOCUMENT: &str = "openapi.json";
/// A document as a file.
pub(crate) fn text(document: &serde_json::Value) -> String {
    format!("{document:#}\n")
}

/// A mock of the document and what runs tests against it; they lie beside the files while checks run.
const MOCK: &str = include_str!("mock.py");

/// The language of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    Python,
    Typescript,
    Rust,
}

impl Target {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Target::Python => "python",
            Target::Typescript => "typescript",
            Target::Rust => "rust",
        }
    }

    /// Ours, the same for every API: what is hard about HTTP is written and tested once.
    pub(crate) fn runtime(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Target::Python => &[("client/runtime.py", include_str!("runtime/runtime.py"))],
            Target::Typescript => &[("client/runtime.ts", include_str!("runtime/runtime.ts"))],
            Target::Rust => &[
                ("Cargo.toml", include_str!("runtime/rust/manifest.toml")),
                ("src/runtime/mod.rs", include_str!("runtime/rust/mod.rs")),
                ("src/runtime/error.rs", include_str!("runtime/rust/error.rs")),
                ("src/runtime/wire.rs", include_str!("runtime/rust/wire.rs")),
            ],
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Target::Python => {
                "openapi.json describes the API; client/runtime.py is its HTTP and stays as it is. Write client/__init__.py, \
                 client/models.py (TypedDicts, NotRequired where a member is optional), client/api.py (a class Client with a \
                 method for each operation and an AsyncClient with the same methods by asyncio.to_thread; an iterator over all \
                 items where the API has pages or events; idempotency_key where it takes that header) and \
                 tests/test_client.py (pytest; the mock server's URL is in API_URL, which checks every request against the \
                 document and answers 422 otherwise). It must pass mypy --strict on Python 3.11; no dependencies."
            }
            Target::Typescript => {
                "openapi.json describes the API; client/runtime.ts is its HTTP and stays as it is. Write client/models.ts \
                 (interfaces), client/api.ts (a class Client with a method for each operation; an async generator over all \
                 items where the API has pages or events; idempotencyKey where it takes that header) and \
                 tests/client.test.ts (node:test; the mock server's URL is in process.env.API_URL, which checks every request \
                 against the document and answers 422 otherwise). Imports between files end in .js. It must pass tsc \
                 --strict; no dependencies."
            }
            Target::Rust => {
                "openapi.json describes the API; Cargo.toml and src/runtime are its HTTP and stay as they are. Write src/lib.rs, \
                 src/models.rs (structs with serde; Option where a member is optional), src/api.rs (a struct Client with an \
                 async method for each operation; a struct with `async fn next` over all items where the API has pages, \
                 runtime::Events where it has events; keyed() where it takes an Idempotency-Key) and tests/client.rs \
                 (tokio::test; the mock server's URL is in the variable API_URL, which checks every request against the \
                 document and answers 422 otherwise). No dependencies but those of Cargo.toml."
            }
        }
    }

    /// The commands that check a client, where their programs are installed.
    pub(crate) fn checks(self) -> Vec<String> {
        let has = |program: &str| {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
        };
        let mut lines = Vec::new();
        match self {
            Target::Python => {
                if has("mypy") {
                    lines.push(
                        "mypy --strict --no-error-summary --cache-dir=/dev/null client tests".to_owned(),
                    );
                }
                lines.push("sh .mock.sh python3 -m pytest -q -p no:cacheprovider tests".to_owned());
            }
            Target::Typescript => {
                if has("tsc") {
                    // One line: each has a directory of its own, and the tests run what the compiler wrote.
                    lines.push("sh .tsc.sh && sh .mock.sh node --test .out/tests/client.test.js".to_owned());
                }
            }
            Target::Rust => {
                if has("cargo") {
                    lines.push("sh .mock.sh cargo test --offline -q --no-default-features".to_owned());
                }
            }
        }
        lines
    }

    /// What checks, for a person.
    pub(crate) fn told(self, lines: &[String]) -> String {
        let name = |line: &String| match line.as_str() {
            line if line.starts_with("mypy") => "mypy --strict".to_owned(),
            line if line.starts_with("sh .tsc.sh") => "tsc --strict, its tests against a mock".to_owned(),
            line if line.starts_with("sh .mock.sh cargo") => "cargo test against a mock".to_owned(),
            line if line.starts_with("sh .mock.sh") => "its tests against a mock".to_owned(),
            line => line.to_owned(),
        };
        if lines.is_empty() {
            "none: no tool is installed".to_owned()
        } else {
            lines.iter().map(name).collect::<Vec<_>>().join(", ")
        }
    }

    /// What lies beside the files while checks run.
    pub(crate) fn beside(self) -> Vec<SourceFile> {
        let file =
            |path: &str, content: &str| SourceFile { path: path.to_owned(), content: content.to_owned() };
        let mut files = vec![file(".mock.py", MOCK), file(".mock.sh", include_str!("mock.sh"))];
        if self == Target::Typescript {
            files.push(file(".tsc.sh", include_str!("tsc.sh")));
            files.push(file("package.json", "{\"type\": \"module\"}\n"));
        }
        files
    }
}
