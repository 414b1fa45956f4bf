# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by deploy.sh: steps, commands, failures.

# Of the template. A test compares them with it.
PARAMETERS=(CodeBucket CodeKey Runtime ProfileScope ApiKeys AllowedOrigins ServiceBucketName ReservedConcurrency MaxUsdPerDay
  MonthlyBudgetUsd AlarmEmail AnthropicSecretArn GatewayLogging TransactionSearch InvocationLogging Page)
# The alarms that take a canary back. A test compares them with alarms.json.
CANARY_ALARMS=(claude-code-function-errors claude-code-gateway-errors)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

say() { printf '%s\n' "$*" >&2; }
step() { printf '\n== %s\n' "$*" >&2; }
fail() {
  say "deploy.sh: $*"
  exit 1
}

# A command that changes something; with --dry-run it is only shown.
act() {
  if [ -n "$dry" ]; then
    printf '   would run: %s\n' "$(shown "$@")" >&2
  else
    "$@"
  fi
}

# A command whose answer is needed; with --dry-run it is shown, and its answer is the first argument.
ask() {
  local otherwise=$1
  shift
  if [ -n "$dry" ]; then
    printf '   would run: %s\n' "$(shown "$@")" >&2
    printf '%s' "$otherwise"
  else
    "$@"
  fi
}

shown() {
  local text
  text=$(printf '%q ' "$@")
  printf '%s' "${text//$scratch/.}"
}

# Whether a parameter of the template has this name; a typing error must not pass silently.
check_settings() {
  local name
  for name in "${!settings[@]}"; do
    [[ " ${PARAMETERS[*]} " == *" $name "* ]] || fail "--set $name: there is no such parameter; there are ${PARAMETERS[*]}"
  done
}

build() {
  step "the function's zip, built and run"
  if [ "${settings[Runtime]:-rust}" = rust ]; then
    act make -C "$root" lambda-arm64
    zip=$root/target/lambda-arm64.zip
  else
    act make -C "$root" lambda-python
    zip=$root/target/lambda-python.zip
  fi
  act "$root/.ci/lambda" "$zip"
}
