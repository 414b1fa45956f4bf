# One feature set for everything: another one would build the AWS SDK again.
ALL := --workspace --all-features
VENV ?= .venv
PY := $(VENV)/bin/python
export CLAUDE_CODE_AWS_CORPUS ?= $(CURDIR)/../shared/corpus

.PHONY: demo test rust python lint campaign loom bench clean

demo:  ## the main job on the local twin: code, files, where it is stored, receipt
	@cargo build $(ALL) --example quickstart --quiet --locked
	@$(or $(CARGO_TARGET_DIR),target)/debug/examples/quickstart

test: rust python  ## everything that must hold, at 1/20 of the campaigns' size

rust:
	cargo test $(ALL) --locked

lint:  ## formatting, clippy, file sizes, the core's purity, licences where cargo-deny is installed
	cargo fmt --all -- --check
	cargo clippy $(ALL) --all-targets --locked -- -D warnings
	.ci/checks

campaign:  ## the same tests at full size
	CAMPAIGN=1 PROPTEST_CASES=20000 cargo test $(ALL) --locked

loom:  ## the budget cell and the single-flight slot under every order of their threads
	cargo test --manifest-path loom-tests/Cargo.toml --locked

bench:  ## how long a cached generate takes; fails over its bound
	cargo bench -p claude-code-core --bench cached --locked

clean:
	cargo clean
	rm -rf $(VENV)
