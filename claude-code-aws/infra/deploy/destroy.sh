# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by deploy.sh: taking everything back.

destroy() {
  step "stack $stack goes; tables and buckets stay unless --delete-data"
  sure "delete the stack $stack in account $account, region $region"
  local services bucket table
  services=$(kept_parameter ServiceBucketName)
  act aws cloudformation delete-stack --stack-name "$stack"
  act aws cloudformation wait stack-delete-complete --stack-name "$stack" || fail "the stack could not be deleted: see its events"
  local buckets=("claude-code-workshop-$account" "${services:-cloudservicecreator-code}")
  local tables=(claude-code-results claude-code-state CloudServiceCreator)
  if [ -z "$delete_data" ]; then
    say "kept: buckets ${buckets[*]}, tables ${tables[*]}, code in $artifacts. deploy.sh takes them over; deploy.sh destroy --delete-data deletes them."
    return
  fi
  sure "delete ALL RESULTS: buckets ${buckets[*]} and tables ${tables[*]}"
  for bucket in "${buckets[@]}" "$artifacts"; do
    empty "$bucket"
    act aws s3api delete-bucket --bucket "$bucket" || say "bucket $bucket is still there"
  done
  for table in "${tables[@]}"; do
    act aws dynamodb delete-table --table-name "$table" --query TableDescription.TableStatus --output text >/dev/null || say "table $table is still there"
  done
  # Seven days to think better of it.
  act aws secretsmanager delete-secret --secret-id claude-code/anthropic-api-key --recovery-window-in-days 7 >/dev/null 2>&1 || true
  say "all data of $stack is deleted"
}

kept_parameter() {
  ask '' aws cloudformation describe-stacks --stack-name "$stack" --query "Stacks[0].Parameters[?ParameterKey=='$1'].ParameterValue | [0]" --output text 2>/dev/null || true
}

# Every version of every object, a thousand at a time.
empty() {
  [ -z "$dry" ] || {
    act aws s3api delete-objects --bucket "$1" --delete file://all-versions.json
    return
  }
  local list=$scratch/versions.json
  # The backquotes are JMESPath's.
  # shellcheck disable=SC2016
  while aws s3api list-object-versions --bucket "$1" --max-items 1000 --output json \
    --query '{Objects: [Versions, DeleteMarkers][] | [?@].{Key: Key, VersionId: VersionId}, Quiet: `true`}' >"$list" 2>/dev/null &&
    grep -q '"Key"' "$list"; do
    aws s3api delete-objects --bucket "$1" --delete "file://$list" >/dev/null
  done
}

sure() {
  [ -z "$yes$dry" ] || return 0
  local answer
  read -r -p "$1? yes/no " answer || true
  [ "$answer" = yes ] || fail "nothing was deleted"
}
