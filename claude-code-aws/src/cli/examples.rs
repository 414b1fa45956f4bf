//! Examples at the end of each command's help.

pub(super) const GENERATE: &str = "Examples:
  claude-code-aws generate \"fibonacci in rust\" --offline
  claude-code-aws generate \"a queue with a timeout\" -l python -o out --max-usd 0.50
  claude-code-aws generate - --file schema.sql --check 'pytest -q' < prompt.txt
  claude-code-aws generate \"a queue with a timeout\" --dry-run";

pub(super) const REFACTOR: &str = "Examples:
  claude-code-aws refactor src/cart.py -i \"replace the nested ifs by early returns\"
  claude-code-aws refactor src/*.py -i \"add type hints\" --write && git diff";

pub(super) const REFINE: &str = "Examples:
  claude-code-aws refine 01a22d16 \"add a timeout\"
  claude-code-aws refine 01a22d16 \"add tests\" -o out";

pub(super) const BATCH: &str = "Examples:
  claude-code-aws batch prompts.jsonl --out results.jsonl --concurrency 8
  claude-code-aws batch prompts.jsonl --out results.jsonl --resume";

pub(super) const CHECK: &str = "Examples:
  claude-code-aws check src
  claude-code-aws check . --sarif > check.sarif";

pub(super) const RESULTS: &str = "Examples:
  claude-code-aws results list -l python --limit 5
  claude-code-aws results show 01a22d16
  claude-code-aws results download 01a22d16 -o out";

pub(super) const TWIN: &str = "Examples:
  claude-code-aws twin up > twin.env
  claude-code-aws twin up --answers http://127.0.0.1:11434/v1 --answers-model qwen3-coder > twin.env";

pub(super) const SERVE: &str = "Examples:
  claude-code-aws serve --offline --no-token
  claude-code-aws serve --addr localhost:9000 --concurrency 16";

pub(super) const CONFIG: &str = "Examples:
  claude-code-aws config show
  echo 'max_usd_per_day = \"5\"' >> \"$(claude-code-aws config path)\"";

pub(super) const COMPLETIONS: &str = "Examples:
  claude-code-aws completions bash > ~/.local/share/bash-completion/completions/claude-code-aws
  claude-code-aws completions zsh > ~/.zfunc/_claude-code-aws
  claude-code-aws completions fish > ~/.config/fish/completions/claude-code-aws.fish";
