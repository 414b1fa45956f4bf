# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by deploy.sh: the CloudFormation stack.

template=${CLAUDE_CODE_TEMPLATE:-$here/cloudformation/claude-code.json}

# The stack's state; empty where there is none.
stack_state() {
  [ -z "$dry" ] || return 0
  local state
  state=$(aws cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].StackStatus' --output text 2>/dev/null) || return 0
  # What never came to be can only be deleted.
  case $state in
    ROLLBACK_COMPLETE | REVIEW_IN_PROGRESS | ROLLBACK_FAILED)
      aws cloudformation delete-stack --stack-name "$stack"
      aws cloudformation wait stack-delete-complete --stack-name "$stack"
      state=''
      ;;
    *_IN_PROGRESS) fail "stack $stack is $state: try again when it is done" ;;
  esac
  printf '%s' "$state"
}

# A value that the stack puts out; empty where it has none of that name.
output() {
  local value
  value=$(ask "($1)" aws cloudformation describe-stacks --stack-name "$stack" --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue | [0]" --output text)
  [ "$value" = None ] || printf '%s' "$value"
}

# Each parameter as it was told, else as it is.
parameters() {
  local name held=''
  [ -z "$state" ] || held=$(aws cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].Parameters[].ParameterKey' --output text)
  printf '['
  local comma=''
  for name in "${PARAMETERS[@]}"; do
    if [ -n "${settings[$name]+told}" ]; then
      printf '%s{"ParameterKey":"%s","ParameterValue":"%s"}' "$comma" "$name" "$(quoted "${settings[$name]}")"
      comma=,
    elif [[ " ${held//$'\t'/ } " == *" $name "* ]]; then
      printf '%s{"ParameterKey":"%s","UsePreviousValue":true}' "$comma" "$name"
      comma=,
    fi
  done
  printf ']\n'
}

# A text inside JSON's quotation marks.
quoted() {
  local text=${1//\\/\\\\}
  printf '%s' "${text//\"/\\\"}"
}

apply_stack() {
  local kind=UPDATE change status reason more=()
  change=deploy-$(date +%s)-$$
  # Tables and buckets that outlived an earlier stack are taken over.
  if [ -z "$state" ]; then kind=CREATE more=(--import-existing-resources); fi
  local key=templates/$change.json
  act aws s3api put-object --bucket "$artifacts" --key "$key" --body "$template" --query ETag --output text >/dev/null
  parameters >"$scratch/parameters.json"
  act aws cloudformation create-change-set --stack-name "$stack" --change-set-name "$change" --change-set-type $kind "${more[@]}" \
    --template-url "https://$artifacts.s3.$region.amazonaws.com/$key" --parameters "file://$scratch/parameters.json" \
    --capabilities CAPABILITY_NAMED_IAM --tags Key=application,Value=claude-code --query Id --output text >/dev/null
  if [ -n "$dry" ]; then
    say "   with: $(cat "$scratch/parameters.json")"
  elif ! aws cloudformation wait change-set-create-complete --stack-name "$stack" --change-set-name "$change" 2>/dev/null; then
    read -r status reason < <(aws cloudformation describe-change-set --stack-name "$stack" --change-set-name "$change" --query '[Status,StatusReason]' --output text)
    if [[ $reason == *"didn't contain changes"* || $reason == *"No updates"* ]]; then
      aws cloudformation delete-change-set --stack-name "$stack" --change-set-name "$change"
      say "the stack is as it should be"
      return
    fi
    fail "the change set is $status: $reason"
  fi
  act aws cloudformation execute-change-set --stack-name "$stack" --change-set-name "$change"
  act aws cloudformation wait "stack-${kind,,}-complete" --stack-name "$stack" || {
    aws cloudformation describe-stack-events --stack-name "$stack" --output text \
      --query "StackEvents[?contains(ResourceStatus, 'FAILED')].[LogicalResourceId,ResourceStatusReason]" | head -5 >&2
    fail "the stack could not be brought to the template; CloudFormation took it back. Callers still have the version before."
  }
}
