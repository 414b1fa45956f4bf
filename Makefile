# One feature set for everything: another one would build the AWS SDK again.
ALL := --workspace --all-features
VENV ?= .venv
PY := $(VENV)/bin/python
export CLAUDE_CODE_AWS_CORPUS ?= $(CURDIR)/../shared/corpus

.PHONY: public-api readme jupyter first-contact apps apps-tools features false-positives demo test rust fuzz module python infra docs typed api page lint campaign loom metrics mutants bench bench-batch bench-lambda bench-load bench-streams bench-route client-matrix dask release-check lambda wheel lambda-arm64 lambda-python deploy clean

demo:  ## the main job on the local twin: code, files, where it is stored, receipt
	@.ci/demo

test:  ## everything that must hold, at 1/20 of the campaigns' size, with a summary at the end
	@MAKE="$(MAKE)" .ci/test

readme: $(PY) module  ## every block of README.md, extracted and run, offline
	$(PY) .ci/readme $(TARGET)

jupyter: $(PY) module  ## the notebooks of examples/python in JupyterLab, in an environment of their own
	$(PY) -m pip install --quiet --disable-pip-version-check jupyterlab
	PYTHONPATH=$(CURDIR)/claude-code-py/python $(PY) -m jupyterlab $(NOTEBOOKS)

first-contact: module  ## three newcomers: README and docs as printed, a fresh crate, pip install, the notebooks
	.ci/first-contact

rust:
	cargo test $(ALL) --locked

fuzz:
	.ci/fuzz 3

RELEASE ?= $(or $(CARGO_TARGET_DIR),target)/release
TARGET := $(or $(CARGO_TARGET_DIR),target)/debug
MODULE := claude-code-py/python/claude_code/_claude_code.abi3.so

$(PY): claude-code-py/requirements-test.txt
	python3 -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check -r claude-code-py/requirements-test.txt
	@touch $(PY)

# With the examples among the targets the features are those of the tests, and nothing is built twice.
module:
	cargo build $(ALL) --lib --bins --examples --locked
	cp $(TARGET)/lib_claude_code.so $(MODULE).new && mv $(MODULE).new $(MODULE)

NOTEBOOKS := $(CURDIR)/examples/python
python: $(PY) module  ## the Python package with its notebooks, and the twin read by boto3 and the anthropic package
	cd claude-code-py && ../$(PY) -m pytest
	PYTHONPATH=$(CURDIR)/claude-code-py/python $(PY) -m pytest -q --rootdir=$(NOTEBOOKS) --nbmake --nbmake-timeout=60 $(NOTEBOOKS)
	CLAUDE_CODE_AWS_COMMAND=$(CURDIR)/$(TARGET)/claude-code-aws $(PY) -m pytest -q claude-code-aws/tests/twin

APPS := $(CURDIR)/examples
apps: $(PY) module  ## the applications in examples/ from outside: their output, kills at every point, what their READMEs say; in CI with every tool
	@if [ -n "$${REQUIRE_TOOLS:-}" ]; then .ci/apps-tools $(abspath $(VENV)); else \
	$(PY) -m pytest -q --rootdir=$(APPS) -p no:cacheprovider $(APPS) --ignore=$(APPS)/python; fi

infra:  ## templates and deployment: linters, policies, the three templates compared, rollbacks rehearsed on a mock
	.ci/infra

docs:  ## target/site: the documentation, built strictly, with links, error kinds and variables checked; no compile
	.ci/docs

PROGRAMS := $(wildcard examples/*_*/[a-z]*_[a-z]*.py) examples/readme.py examples/endpoint.py examples/api_integration/mock.py examples/api_integration/runtime/runtime.py
PROGRAMS := $(foreach file,$(PROGRAMS),$(if $(findstring /test_,$(file)),,$(file)))
SCRIPTS := examples/python examples/conftest.py examples/readme.py examples/endpoint.py examples/test_everywhere.py examples/test_validators.py examples/code_generator examples/infra_automation examples/api_integration
typed: $(PY) module  ## the stub equals the module; ruff, mypy --strict and pyright over package, tests and examples
	$(PY) -m ruff check --config claude-code-py/pyproject.toml claude-code-py $(SCRIPTS)
	$(PY) -m ruff format --check --config claude-code-py/pyproject.toml claude-code-py $(SCRIPTS)
	cd claude-code-py && ../$(PY) -m mypy python tests *.py ../examples/python/*.py
	cd claude-code-py && for file in $(addprefix ../,$(filter %.py,$(PROGRAMS))); do MYPYPATH=../examples ../$(PY) -m mypy $$file || exit 1; done
	cd claude-code-py && PYTHONPATH=python MYPYPATH=python ../$(PY) -m mypy.stubtest claude_code --mypy-config-file pyproject.toml
	cd claude-code-py && ../$(PY) -m pyright --pythonpath ../$(PY)

api: module  ## schemathesis against the running server: all checks, no failure
	.ci/api $(TARGET)/claude-code-aws

page: module  ## the service creator's page in headless Chromium
	.ci/page $(TARGET)/claude-code-aws

public-api:  ## docs/public-api.txt is what rustdoc says, no internal type is in it, and rustdoc has no warning
	.ci/public-api --check

features:  ## each feature set alone: none, local, server, otlp, cli, local and server
	.ci/features

lint: typed  ## formatting, clippy, the Python checks, file sizes, the core's purity, licences where cargo-deny is installed
	cargo fmt --all -- --check
	cargo clippy $(ALL) --all-targets --locked -- -D warnings
	.ci/checks

campaign: $(PY) module loom false-positives  ## the same tests at full size, and the models under every order of their threads
	CAMPAIGN=1 PROPTEST_CASES=2500 CLAUDE_CODE_AWS_RACE_SECONDS=60 cargo test $(ALL) --locked
	.ci/fuzz 60
	cd claude-code-py && CAMPAIGN=1 ../$(PY) -m pytest -s tests/test_process.py tests/test_async.py

dask: $(PY) module  ## a map of Dask over two workers, one of them killed: every prompt paid once
	$(PY) -m pip install --quiet --disable-pip-version-check distributed
	cd claude-code-py && ../$(PY) -m pytest -s tests/test_dask.py

metrics:  ## EMF lines and OTLP bodies, judged by three libraries that are not ours
	.ci/metrics

MUTANTS_MODULE = $(if $(filter command line,$(origin MODULE)),$(MODULE),money)
mutants:  ## mutation testing of one module of the core: make mutants MODULE=money
	.ci/mutants $(MUTANTS_MODULE)

REAL ?= target/real
false-positives: $(PY)  ## `check` over the source packages of other people; more than one false error in 1,000 files fails
	cargo build --release $(ALL) --bin claude-code-aws --locked
	$(PY) -m pip install --quiet --disable-pip-version-check pglast==8.8 pyyaml==6.0.3 cfn-lint==1.58.0
	$(PY) .ci/false-positives $(RELEASE)/claude-code-aws --keep $(REAL)

loom:  ## the budget cell and the single-flight slot under every order of their threads
	cargo test --manifest-path loom-tests/Cargo.toml --locked

# One release build for all but the Python package, which is measured as the wheel brings it.
bench: $(PY)  ## what benches/README.md tells, measured again; fails out of bounds
	ASSERT=1 cargo bench -p claude-code-core --features syntax-all --bench cached --bench reader --bench validate --locked
	cargo build --release $(ALL) --bins --example mock_bedrock --example bench_client --example bench_observe --locked
	ASSERT=1 $(RELEASE)/examples/bench_observe
	$(MAKE) wheel
	rm -rf target/installed
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --target target/installed target/wheels/*.whl
	$(PY) benches/run.py $(RELEASE) --package target/installed --check
	$(PY) benches/telemetry.py --package target/installed --check
	$(PY) benches/twin.py $(RELEASE) --check
	$(MAKE) bench-route
	$(MAKE) bench-lambda bench-load bench-streams
	$(MAKE) bench-batch PACKAGE=target/installed

PACKAGE ?= claude-code-py/python
bench-batch: $(PY)  ## batches, the disk store, kills, the quota, instruction counts; needs a release build in RELEASE and a package in PACKAGE
	$(PY) benches/instructions.py $(RELEASE) --check
	$(PY) benches/batch.py $(RELEASE) --package $(PACKAGE) --check
	$(PY) benches/store_kills.py $(RELEASE) 200 $(PACKAGE)
	CAMPAIGN=1 cargo test $(ALL) --locked --test cli -- --nocapture a_batch_killed_again_and_again
	cargo test $(ALL) --locked --test client -- --nocapture a_known_quota

bench-lambda: $(PY)  ## a cold Lambda beside one on boto3, and its zip; needs a release build in RELEASE
	$(PY) benches/lambda.py $(RELEASE)/lambda $(RELEASE)/claude-code-aws --check

bench-streams: $(PY)  ## a thousand event streams, /health beside them, and the day's budget after them; needs a release build in RELEASE
	$(PY) benches/streams.py $(RELEASE)/claude-code-aws --check

bench-load: $(PY)  ## 25 times the load that there is room for; needs a release build in RELEASE
	$(PY) benches/load.py $(RELEASE)/claude-code-aws --check

bench-route: $(PY)  ## how long a host is tried that cannot be reached; needs a release build in RELEASE
	$(PY) benches/route.py $(RELEASE)/claude-code-aws --check

# Clients that nobody here wrote, in an environment of their own: their pins are not ours.
CLIENTS ?= .venv-clients
$(CLIENTS)/bin/python: $(wildcard claude-code-aws/tests/clients/requirements*.txt)
	python3 -m venv $(CLIENTS)
	$(CLIENTS)/bin/python -m pip install --quiet --disable-pip-version-check -r claude-code-aws/tests/clients/requirements.txt
	python3 -m venv $(CLIENTS)/aioboto3
	$(CLIENTS)/aioboto3/bin/python -m pip install --quiet --disable-pip-version-check -r claude-code-aws/tests/clients/requirements-aioboto3.txt
	@touch $(CLIENTS)/bin/python

client-matrix: $(CLIENTS)/bin/python module  ## boto3, aioboto3, anthropic, litellm, langchain-aws and pydantic-ai against a twin and its exports alone
	CLAUDE_CODE_AWS_COMMAND=$(CURDIR)/$(TARGET)/claude-code-aws $(CLIENTS)/bin/python -m pytest -q claude-code-aws/tests/clients/test_clients.py
	CLAUDE_CODE_AWS_COMMAND=$(CURDIR)/$(TARGET)/claude-code-aws $(CLIENTS)/aioboto3/bin/python -m pytest -q claude-code-aws/tests/clients/test_aioboto3.py

wheel: $(PY)  ## target/wheels: a wheel for manylinux2014 of this machine's architecture, trained, checked and tried in a fresh environment
	$(PY) -m pip install --quiet --disable-pip-version-check -r claude-code-py/requirements-wheel.txt
	.ci/train target/wheels $(PY)
	.ci/wheel target/wheels/*.whl
	.ci/installed target/wheels/*.whl $(PY)

# Without the twin, the command line and the large grammars: what a function needs, with the server's feature alone.
lambda:  ## target/lambda.zip for provided.al2023, of this machine's architecture
	cargo build --release -p claude-code-aws --no-default-features --features server --bin lambda --target-dir target/lambda --locked
	python3 benches/lambda.py --zip target/lambda/release/lambda target/lambda.zip

lambda-arm64: $(PY)  ## target/lambda-arm64.zip for provided.al2023: what is deployed
	$(PY) -m pip install --quiet --disable-pip-version-check -r claude-code-aws/infra/requirements-build.txt
	rustup target add aarch64-unknown-linux-gnu
	PATH="$(abspath $(VENV))/bin:$$PATH" cargo zigbuild --release -p claude-code-aws --no-default-features --features server --bin lambda \
		--target aarch64-unknown-linux-gnu.2.34 --target-dir target/lambda --locked
	python3 benches/lambda.py --zip target/lambda/aarch64-unknown-linux-gnu/release/lambda target/lambda-arm64.zip

lambda-python: wheel  ## target/lambda-python.zip for python3.11 on x86_64: the wheel alone, it needs no other package
	rm -rf target/lambda-python target/lambda-python.zip
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --target target/lambda-python target/wheels/*.whl
	cd target/lambda-python && rm -rf bin && find . -name __pycache__ -prune -exec rm -rf {} + && python3 -m zipfile -c ../lambda-python.zip *

apps-tools: $(PY) module  ## the applications with every tool: prism, tsc, cfn-lint, cfn-guard, other generators
	.ci/apps-tools $(abspath $(VENV))

# What is too slow for every change: the artefacts themselves, started and asked.
release-check: features public-api first-contact client-matrix dask module apps-tools lambda-arm64 lambda-python  ## clients against the twin; the arm64 zip under an emulator and the Python zip, each asked for /health and a generation
	.ci/lambda target/lambda-arm64.zip
	.ci/lambda target/lambda-python.zip

deploy:  ## builds, checks and deploys to the AWS account of the environment: see claude-code-aws/infra/DEPLOY_GUIDE.md
	claude-code-aws/infra/deploy.sh $(DEPLOY)

clean:
	cargo clean
	rm -rf $(VENV)
