#!/usr/bin/env bash
# Deploys claude-code-aws to an AWS account, and takes it back.
#
#   deploy.sh [deploy] [OPTIONS]      build, check, create or update the stack, shift traffic step by step
#   deploy.sh shift [VERSION]         traffic alone, to a published version (the newest unless told): after terraform apply
#   deploy.sh rollback                traffic back to the version before
#   deploy.sh status                  which version answers, and since when
#   deploy.sh destroy [--delete-data] [--yes]
#
# Options: --runtime rust|python3.11   --zip FILE (instead of a build)   --stack NAME   --set Parameter=Value (may be repeated)
#          --canary PERCENT (10)   --canary-seconds N (300)   --no-generation (no paid smoke test)   --dry-run
# ANTHROPIC_API_KEY in the environment: the key goes into Secrets Manager, and the Messages API answers instead of Bedrock.
# Needs the AWS CLI with credentials and a region. Exit: 0 done, 1 failed and taken back, 2 usage, 3 failed and not taken back.
# The parts that are sourced read these variables.
# shellcheck disable=SC2034
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
for part in common account stack traffic smoke extras destroy; do
  # shellcheck source=/dev/null
  source "$here/deploy/$part.sh"
done

command=deploy stack=claude-code function=claude-code alias=live
runtime='' zip='' version='' percent=10 seconds=300 generation=1 dry='' delete_data='' yes=''
declare -A settings=()

usage() {
  sed -n '2,/^# Needs/p' "${BASH_SOURCE[0]}" | sed ' s/^# \{0,1\}//' >&2
  exit 2
}

case ${1:-} in
  deploy | shift | rollback | status | destroy) command=$1 && shift ;;
esac
while [ $# -gt 0 ]; do
  case $1 in
    --runtime) runtime=${2:?} && shift ;;
    --zip) zip=$(realpath "${2:?}") && shift ;;
    --stack) stack=${2:?} && shift ;;
    --set) settings[${2%%=*}]=${2#*=} && shift ;;
    --canary) percent=${2:?} && shift ;;
    --canary-seconds) seconds=${2:?} && shift ;;
    --no-generation) generation='' ;;
    --dry-run) dry=1 ;;
    --delete-data) delete_data=1 ;;
    --yes) yes=1 ;;
    [0-9]*) version=$1 ;;
    *) usage ;;
  esac
  shift
done
[[ $percent =~ ^[1-9][0-9]?$ ]] || fail "--canary takes 1 to 99, not $percent"
[[ $seconds =~ ^[0-9]+$ ]] || fail "--canary-seconds takes a whole number, not $seconds"
[ -z "$runtime" ] || settings[Runtime]=$runtime
check_settings

deploy() {
  if [ -z "$zip" ]; then build; fi
  step "who deploys, and where"
  account
  step "what the account allows"
  limits
  keep_secret
  step "the code, in a bucket for code"
  upload
  step "the stack $stack"
  apply_stack
  switch_options
  shift_traffic
  told=$(output Endpoint)
  say "endpoint: $told"
}

case $command in
  deploy) deploy ;;
  shift) account && shift_traffic ;;
  rollback) account && roll_back ;;
  status) account && show_status ;;
  destroy) account && destroy ;;
esac
