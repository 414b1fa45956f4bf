# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by deploy.sh: which version answers. The alias's description says what happened to it last:
#   "version 3, before it 2"                      checked
#   "version 3, before it 2, not checked yet"     a deployment stopped between the shift and its check

poll=${CLAUDE_CODE_DEPLOY_POLL_SECONDS:-10}

# The alias: its version, the version beside it or -, its description.
alias_now() {
  ask $'1\t-\t-\n' aws lambda get-alias --function-name "$function" --name "$alias" --output text \
    --query "[FunctionVersion, keys(not_null(RoutingConfig.AdditionalVersionWeights, \`{}\`))[0] || '-', Description || '-']"
}

# All traffic to a version.
point() {
  act aws lambda update-alias --function-name "$function" --name "$alias" --function-version "$1" \
    --routing-config '{"AdditionalVersionWeights":{}}' --description "$2" --query FunctionVersion --output text >/dev/null
}

# A part of the traffic to a version beside the one that answers.
share() {
  local weight
  printf -v weight '0.%02d' "$percent"
  act aws lambda update-alias --function-name "$function" --name "$alias" --function-version "$1" \
    --routing-config "{\"AdditionalVersionWeights\":{\"$2\":$weight}}" --description "version $1, $percent % of the traffic to $2" \
    --query FunctionVersion --output text >/dev/null
}

# What an earlier run left half done is taken back before anything else is begun.
repair() {
  local now beside told
  IFS=$'\t' read -r now beside told < <(alias_now)
  if [ "$beside" != - ]; then
    say "an earlier deployment stopped while version $beside had a part of the traffic: all of it goes to version $now"
    point "$now" "version $now"
  elif [[ $told =~ ^version\ ([0-9]+),\ before\ it\ ([0-9]+),\ not\ checked ]]; then
    say "an earlier deployment stopped before version $now was checked"
    check_live "$now" "${BASH_REMATCH[2]}"
  fi
}

# Restores the version before, whatever ends this run in between. What restoring needs stands in these two.
restored='' moving=''
restore() {
  local code=$? try
  trap - EXIT INT TERM HUP
  rm -rf "$scratch"
  [ -n "$moving" ] || exit "$code"
  for try in 1 2 3 4 5; do
    if point "$restored" "version $restored"; then
      say "version $restored answers all requests again"
      ((code)) || code=1
      exit "$code"
    fi
    sleep "$((try * poll / 10))"
  done
  say "VERSION $restored COULD NOT BE RESTORED: run deploy.sh again, or aws lambda update-alias --function-name $function --name $alias --function-version $restored --routing-config '{\"AdditionalVersionWeights\":{}}'"
  exit 3
}

begin_move() {
  restored=$1 moving=1
  trap restore EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

end_move() {
  moving=''
  trap 'rm -rf "$scratch"' EXIT
  trap - INT TERM HUP
}

newest() {
  # A function that is being updated publishes nothing.
  [ -n "$dry" ] || aws lambda wait function-updated --function-name "$function"
  ask 2 aws lambda publish-version --function-name "$function" --query Version --output text
}

shift_traffic() {
  step "traffic"
  local now next
  repair
  IFS=$'\t' read -r now _ < <(alias_now)
  next=${version:-$(newest)}
  if [ "$next" = "$now" ]; then
    say "version $now answers already"
    smoke "$now" || fail "version $now answers the smoke test wrongly, and there is none before it to go back to"
    return
  fi
  smoke "$next" || fail "version $next answers the smoke test wrongly: it got no traffic, version $now answers"
  quiet || fail "an alarm rings already, for version $now: nothing is shifted until it is quiet"
  begin_move "$now"
  say "$percent % of the traffic to version $next for $seconds s, version $now has the rest"
  share "$now" "$next"
  watch "$next"
  point "$next" "version $next, before it $now, not checked yet"
  check_live "$next" "$now"
  end_move
  say "version $next answers all requests"
}

# Looks at the alarms and at the new version until its time is over.
watch() {
  local next=$1 blind=0 end=$((SECONDS + seconds))
  while ((SECONDS < end)) && [ -z "$dry" ]; do
    sleep "$poll"
    if ! ringing=$(alarms); then
      # One missed look is the network's; three are none at all.
      ((++blind < 3)) || fail "the alarms could not be read three times: version $next is taken back"
      continue
    fi
    blind=0
    [ -z "$ringing" ] || fail "alarm $ringing: version $next is taken back"
    healthy "$next" || fail "version $next no longer answers /health: it is taken back"
  done
  quiet || fail "alarm: version $next is taken back"
}

# The names of the alarms that ring.
alarms() {
  ask '' aws cloudwatch describe-alarms --alarm-names "${CANARY_ALARMS[@]}" --query "MetricAlarms[?StateValue=='ALARM'].AlarmName" --output text
}

quiet() {
  local ringing
  ringing=$(alarms) && [ -z "$ringing" ]
}

# The address that callers use, after all traffic goes to a version; the one before comes back if it fails.
check_live() {
  local next=$1 before=$2
  [ -n "$moving" ] || begin_move "$before"
  reachable || fail "the endpoint does not answer with version $next: it is taken back"
  point "$next" "version $next, before it $before"
  end_move
}

roll_back() {
  local now beside told
  IFS=$'\t' read -r now beside told < <(alias_now)
  if [ "$beside" != - ]; then
    point "$now" "version $now"
    say "version $now answers all requests"
  elif [[ $told =~ before\ it\ ([0-9]+) ]]; then
    point "${BASH_REMATCH[1]}" "version ${BASH_REMATCH[1]}"
    say "version ${BASH_REMATCH[1]} answers all requests, version $now none"
  else
    fail "nothing tells which version was before $now: deploy.sh shift VERSION"
  fi
}

show_status() {
  local now beside told
  IFS=$'\t' read -r now beside told < <(alias_now)
  say "$function:$alias is version $now${told:+ ($told)}"
  [ "$beside" = - ] || say "version $beside has a part of the traffic: a deployment is under way, or stopped; deploy.sh rollback ends it"
  ringing=$(alarms)
  say "alarms: ${ringing:-quiet}"
}
