# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by deploy.sh: whether a version answers.

# An event of API Gateway: method, path, body.
event() {
  local caller="arn:aws:sts::$account:assumed-role/claude-code-deploy/smoke"
  printf '{"resource":"%s","path":"%s","httpMethod":"%s","headers":{"content-type":"application/json"},"multiValueHeaders":{"content-type":["application/json"]},"requestContext":{"resourcePath":"%s","httpMethod":"%s","path":"/prod%s","accountId":"%s","stage":"prod","requestId":"deploy","identity":{"userArn":"%s"}},"body":%s,"isBase64Encoded":false}' \
    "$2" "$2" "$1" "$2" "$1" "$2" "$account" "$caller" "${3:-null}"
}

# Invokes a version with an event and takes its answer for good if it has status 200 and contains the given text.
invoke() {
  local failed
  event "${@:3}" >"$scratch/event.json"
  failed=$(ask None aws lambda invoke --function-name "$function" --qualifier "$1" --payload "fileb://$scratch/event.json" \
    --cli-read-timeout 310 --query FunctionError --output text "$scratch/answer") || return 1
  [ -z "$dry" ] || return 0
  # A streamed answer has its head before eight zero bytes, a buffered one has its body inside.
  tr '\0' '\n' <"$scratch/answer" >"$scratch/text"
  if [ "$failed" = None ] && grep -qE '"statusCode": ?200' "$scratch/text" && grep -qE "$2" "$scratch/text"; then return 0; fi
  say "$3 $4 of version $1: $failed $(head -c 300 "$scratch/text")"
  return 1
}

healthy() {
  invoke "$1" '\\?"status\\?": ?\\?"ok' GET /health
}

smoke() {
  say "smoke test of version $1"
  act aws lambda wait published-version-active --function-name "$function" --qualifier "$1" || return 1
  healthy "$1" || return 1
  [ -n "$generation" ] || return 0
  # Not from the cache: the model has to answer.
  local body='"{\"prompt\":\"Write a Python function that reverses a string.\",\"tier\":\"simple\",\"max_usd\":\"0.05\",\"cache\":\"refresh\"}"'
  invoke "$1" '\\?"accepted\\?": ?true' POST /generate "$body"
}

# The public address, as anybody may ask it.
reachable() {
  local endpoint try
  endpoint=$(output Endpoint)
  # Without a stack's output there is nothing to ask: Terraform prints its own.
  [ -n "$endpoint" ] || return 0
  for try in 1 2 3; do
    if ask '"ok"' curl --silent --show-error --fail --max-time 20 "${endpoint}health" | grep -q '"ok"'; then return 0; fi
    sleep "$((try * poll / 5))"
  done
  return 1
}
