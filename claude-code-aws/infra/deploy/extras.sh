# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by deploy.sh: what no resource of CloudFormation does.

switch_options() {
  local role page
  role=$(output InvocationLogRoleArn)
  [ -n "$dry" ] || [ -z "$role" ] || log_invocations "$role"
  page=$(output PageAppId)
  [ -n "$dry" ] || [ -z "$page" ] || publish_page "$page"
}

# One setting for the account and region: one that is there is left alone. Texts stay out of the log.
log_invocations() {
  local held
  held=$(aws bedrock get-model-invocation-logging-configuration --query 'loggingConfig.cloudWatchConfig.logGroupName' --output text)
  if [ "$held" != None ] && [ "$held" != /aws/bedrock/claude-code-invocations ]; then
    say "invocation logging goes to $held already: it is left as it is"
    return
  fi
  aws bedrock put-model-invocation-logging-configuration --logging-config \
    '{"cloudWatchConfig":{"logGroupName":"/aws/bedrock/claude-code-invocations","roleArn":"'"$1"'"},"textDataDeliveryEnabled":false,"imageDataDeliveryEnabled":false,"embeddingDataDeliveryEnabled":false}'
}

# The page's files with the API's address in them, to Amplify.
publish_page() {
  step "the page, to Amplify"
  local api job url
  api=$(output Endpoint)
  mkdir -p "$scratch/page"
  cp "$here/../web/"{app.js,style.css} "$scratch/page"
  sed "s|<meta name=\"api-base\" content=\"\">|<meta name=\"api-base\" content=\"${api%/}\">|" "$here/../web/index.html" >"$scratch/page/index.html"
  (cd "$scratch/page" && python3 -m zipfile -c "$scratch/page.zip" ./*)
  read -r job url < <(aws amplify create-deployment --app-id "$1" --branch-name main --query '[jobId,zipUploadUrl]' --output text)
  # The address is a credential: curl reads it from stdin.
  printf 'url = "%s"\n' "$url" | curl --silent --show-error --fail --upload-file "$scratch/page.zip" --config -
  aws amplify start-deployment --app-id "$1" --branch-name main --job-id "$job" --query jobSummary.status --output text >&2
}
