# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by deploy.sh: the account, what it allows, its secret and its bucket for code.

account() {
  command -v aws >/dev/null || [ -n "$dry" ] || fail "the AWS CLI is not installed"
  account=$(ask 123456789012 aws sts get-caller-identity --query Account --output text) ||
    fail "no AWS credentials: aws sso login, or set AWS_PROFILE"
  region=${AWS_REGION:-${AWS_DEFAULT_REGION:-}}
  [ -n "$region" ] || region=$(ask us-east-1 aws configure get region) || true
  [ -n "$region" ] || fail "no region: set AWS_REGION"
  export AWS_REGION=$region AWS_DEFAULT_REGION=$region AWS_PAGER=''
  artifacts=claude-code-artifacts-$account-$region
  say "account $account, region $region"
}

# What would fail only after minutes is asked beforehand.
limits() {
  local unreserved wanted held
  state=$(stack_state)
  wanted=${settings[ReservedConcurrency]:-20}
  if [ -z "$state" ] && [ "$wanted" -gt 0 ]; then
    unreserved=$(ask 1000 aws lambda get-account-settings --query AccountLimit.UnreservedConcurrentExecutions --output text)
    # Lambda keeps 100 for the account's other functions.
    ((unreserved - wanted >= 100)) ||
      fail "the account has $unreserved concurrent executions left and Lambda keeps 100: --set ReservedConcurrency=0, or ask for a higher quota"
  fi
  if [ -z "$state" ] && [ -z "${settings[GatewayLogging]:-}" ]; then
    held=$(ask None aws apigateway get-account --query cloudwatchRoleArn --output text)
    if [ -n "$held" ] && [ "$held" != None ]; then
      settings[GatewayLogging]=existing
      say "API Gateway logs by a role that is there already: it is kept"
    fi
  fi
  if [ -z "$state" ] && [ -z "${settings[ServiceBucketName]:-}" ] && [ -z "$dry" ]; then name_bucket; fi
}

# Bucket names are global: the usual one may be somebody else's.
name_bucket() {
  local told
  told=$(aws s3api head-bucket --bucket cloudservicecreator-code 2>&1) && return
  if [[ $told == *403* ]]; then
    settings[ServiceBucketName]=cloudservicecreator-code-$account
    say "the bucket cloudservicecreator-code is somebody else's: cloudservicecreator-code-$account is used"
  fi
}

# The key goes from the environment over stdin: into no argument, file, log or template.
keep_secret() {
  [ -n "${ANTHROPIC_API_KEY:-}" ] || return 0
  step "the Anthropic API key, in Secrets Manager"
  local name=claude-code/anthropic-api-key arn=''
  if [ -n "$dry" ]; then
    say "   would run: aws secretsmanager put-secret-value --secret-id $name --secret-string file:///dev/stdin"
    settings[AnthropicSecretArn]=arn:aws:secretsmanager:$region:$account:secret:$name
    return
  fi
  arn=$(aws secretsmanager describe-secret --secret-id "$name" --query ARN --output text 2>/dev/null) ||
    arn=$(aws secretsmanager create-secret --name "$name" --description "Read by the function $function" --query ARN --output text)
  # printf is the shell's own: no process has the key among its arguments.
  printf '%s' "$ANTHROPIC_API_KEY" |
    aws secretsmanager put-secret-value --secret-id "$arn" --secret-string file:///dev/stdin --query VersionId --output text >/dev/null
  settings[AnthropicSecretArn]=$arn
  unset ANTHROPIC_API_KEY
}

upload() {
  if [ -z "$dry" ] && ! aws s3api head-bucket --bucket "$artifacts" >/dev/null 2>&1; then make_artifacts; fi
  [ -z "$dry" ] || act aws s3api create-bucket --bucket "$artifacts"
  local hash=HASH
  [ -n "$dry" ] || hash=$(sha256sum "$zip" | cut -d' ' -f1)
  settings[CodeBucket]=$artifacts
  settings[CodeKey]=code/$hash.zip
  act aws s3api put-object --bucket "$artifacts" --key "${settings[CodeKey]}" --body "$zip" --query ETag --output text >/dev/null
}

make_artifacts() {
  local place=()
  [ "$region" = us-east-1 ] || place=(--create-bucket-configuration "LocationConstraint=$region")
  aws s3api create-bucket --bucket "$artifacts" "${place[@]}" >/dev/null
  aws s3api put-public-access-block --bucket "$artifacts" --public-access-block-configuration \
    BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
  # A stack that rolls back needs the zip before: a year is longer than any of them waits.
  aws s3api put-bucket-lifecycle-configuration --bucket "$artifacts" --lifecycle-configuration \
    '{"Rules":[{"ID":"old-code","Status":"Enabled","Filter":{"Prefix":""},"Expiration":{"Days":365},"AbortIncompleteMultipartUpload":{"DaysAfterInitiation":1}}]}'
}
