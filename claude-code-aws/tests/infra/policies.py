"""What must hold of the template and no linter knows. Each check gives the violations that it found, as lines."""

import functools
import json
import re

import known
from conftest import INFRA, ROOT
from evaluate import Template

ACCESS = json.loads((INFRA / "access.json").read_text())["scopes"]
METRICS = json.loads((INFRA / "metrics.json").read_text())
CODE = {"CodeBucket": "artifacts", "CodeKey": "code.zip"}
SECRET = f"arn:aws:secretsmanager:{known.HERE}:secret:claude-code/anthropic-api-key-AbCdEf"
ALL = {"AlarmEmail": "a@example.com", "AnthropicSecretArn": SECRET, "TransactionSearch": "on", "InvocationLogging": "on", "Page": "on"}

# AWS defines no resource for these actions.
WITHOUT_RESOURCE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:PutSpans", "bedrock:ListModelInvocationJobs"}
# What may stand before a star at the end of a resource.
OPEN_ENDED = re.compile(
    r"^arn:aws:(s3:::[a-z0-9-]+/((generated-code|cache|batch)/)?"
    r"|logs:[a-z0-9-]+:\d{12}:log-group:/aws/(lambda/claude-code|bedrock/claude-code-invocations):"
    r"|bedrock:[a-z0-9-]+:\d{12}:model-invocation-job/)\*$"
)
# Names that Lambda keeps for itself.
RESERVED = re.compile(r"^(AWS_|LAMBDA_|_HANDLER$|_X_AMZN_TRACE_ID$)")
# What the function calls, by the method of the SDK.
CALLS = {
    "get_item": "dynamodb:GetItem",
    "put_item": "dynamodb:PutItem",
    "update_item": "dynamodb:UpdateItem",
    "delete_item": "dynamodb:DeleteItem",
    "batch_get_item": "dynamodb:BatchGetItem",
    "batch_write_item": "dynamodb:BatchWriteItem",
    "transact_write_items": "dynamodb:TransactWriteItems",
    "scan": "dynamodb:Scan",
    "get_object": "s3:GetObject",
    "put_object": "s3:PutObject",
    "delete_object": "s3:DeleteObject",
    "list_objects_v2": "s3:ListBucket",
    "list_object_versions": "s3:ListBucketVersions",
    "send_message": "sqs:SendMessage",
    "converse_stream": "bedrock:InvokeModelWithResponseStream",
    "count_tokens": "bedrock:CountTokens",
    "get_inference_profile": "bedrock:GetInferenceProfile",
}
# What no call of ours shows: Lambda itself takes jobs from the queue and writes the log, a query has the name of other
# queries, a version is deleted by the same call as an object, and Converse needs the right to invoke.
BESIDE = {
    "dynamodb:Query",
    "s3:DeleteObjectVersion",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:GetQueueAttributes",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "bedrock:InvokeModel",
    "secretsmanager:GetSecretValue",
} | (WITHOUT_RESOURCE - {"bedrock:ListModelInvocationJobs"})

# What the code does with each table and bucket.
RESULTS, FILES = known.table("claude-code-results"), known.bucket(f"claude-code-workshop-{known.ACCOUNT}")
USES = {
    RESULTS: {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"},
    f"{RESULTS}/index/language-index": {"dynamodb:Query"},
    known.table("claude-code-state"): {"dynamodb:GetItem", "dynamodb:UpdateItem"},
    known.table("CloudServiceCreator"): {"dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query"},
    f"{FILES}/generated-code/*": {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"},
    f"{FILES}/cache/*": {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"},
    f"{known.bucket('cloudservicecreator-code')}/*": {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"},
}


def violations(template):
    """All of them, under every profile scope."""
    yield from alias(template)
    yield from metrics(template)
    for scope in ACCESS:
        evaluated = Template(template, CODE | ALL | {"ProfileScope": scope}).evaluated()
        yield from stars(evaluated)
        yield from models(evaluated, scope)
        yield from actions(evaluated)
        yield from environment(evaluated)
        yield from passing(evaluated)
    for keys in ("on", "off"):
        yield from entrances(Template(template, CODE | {"ApiKeys": keys}).evaluated())


def listed(value):
    return value if isinstance(value, list) else [value]


def allowed(evaluated):
    """Each statement that allows something: its policy, the statement."""
    for logical, kind, properties in evaluated:
        if kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            for statement in properties["PolicyDocument"]["Statement"]:
                if statement["Effect"] == "Allow":
                    yield logical, statement


def stars(evaluated):
    for policy, statement in allowed(evaluated):
        actions = listed(statement.get("Action", "*"))
        yield from (f"{policy} allows {action}" for action in actions if "*" in action)
        for resource in listed(statement.get("Resource", "*")):
            if resource == "*":
                yield from (f"{policy} allows {action} on everything" for action in actions if action not in WITHOUT_RESOURCE)
            elif "*" in resource and not OPEN_ENDED.match(resource):
                yield f"{policy} allows {actions} on {resource}"


def models(evaluated, scope):
    """Whoever may invoke may do so on every allowed profile and in every region that it sends to, and nowhere else."""
    entry = ACCESS[scope]
    expected = {f"arn:aws:bedrock:{known.HERE}:inference-profile/{scope}.{model}" for model in entry["models"]}
    for region in entry["regions"]:
        place = region.replace("${region}", known.REGION)
        expected |= {f"arn:aws:bedrock:{place}::foundation-model/{model}" for model in entry["models"]}
    for policy, statement in allowed(evaluated):
        if "bedrock:InvokeModel" in listed(statement.get("Action", [])):
            found = set(listed(statement.get("Resource", [])))
            yield from (f"{policy} lacks {arn} of scope {scope}" for arn in expected - found)
            yield from (f"{policy} has {arn} beyond scope {scope}" for arn in found - expected)


@functools.cache
def called():
    """The actions that the code of the function calls."""
    sources = [path for path in (ROOT / "claude-code-aws/src").rglob("*.rs") if not {"local", "doctor"} & set(path.parts)]
    text = "".join(path.read_text() for path in sources)
    return {action for method, action in CALLS.items() if f".{method}()" in text}


def actions(evaluated):
    granted = set()
    for policy, statement in allowed(evaluated):
        if policy in ("FunctionPolicy", "SecretPolicy"):
            granted |= set(listed(statement.get("Action", [])))
    for place, uses in USES.items():
        given = {action for policy, one in allowed(evaluated) if policy == "FunctionPolicy" and place in listed(one.get("Resource", [])) for action in listed(one.get("Action", []))}
        yield from (f"the function may not {action} on {place}" for action in uses - given)
        yield from (f"the function may {action} on {place} for nothing" for action in given - uses)
    needed = called()
    yield from (f"the code calls {action}, which the function may not" for action in needed - granted)
    yield from (f"the function may {action}, which no code calls" for action in granted - needed - BESIDE)


def passing(evaluated):
    for policy, statement in allowed(evaluated):
        if "iam:PassRole" in listed(statement.get("Action", [])):
            services = statement.get("Condition", {}).get("StringEquals", {}).get("iam:PassedToService")
            if services != "bedrock.amazonaws.com":
                yield f"{policy} passes a role to {services or 'anybody'}"


@functools.cache
def settings():
    """The names in config's table, in the files that read the environment."""
    source = ROOT / "claude-code-aws/src"
    files = [path for path in source.rglob("*.rs") if "config" in (path.stem, path.parent.name)]
    return {name for path in files for name in re.findall(r'"([A-Z][A-Z_]{2,})"', path.read_text())}


def environment(evaluated):
    known_names = settings()
    for logical, kind, properties in evaluated:
        if kind != "AWS::Lambda::Function":
            continue
        for name, value in properties["Environment"]["Variables"].items():
            setting = name.removeprefix("CLAUDE_CODE_AWS_")
            if RESERVED.match(name):
                yield f"{logical}: Lambda keeps {name} for itself"
            elif setting == name or setting not in known_names:
                yield f"{logical}: no code reads {name}"
            if re.search(r"sk-ant-|AKIA|(?i:password|bearer)", str(value)):
                yield f"{logical}: {name} holds a secret"


def entrances(evaluated):
    """Only reading what is public is open: everything else is signed or has a key."""
    paths = {known.ROOT: "/"} | {known.resource(p["PathPart"]): f"/{p['PathPart']}" for _, kind, p in evaluated if kind == "AWS::ApiGateway::Resource"}
    public = {"GET /", "GET /app.js", "GET /style.css", "GET /health", "GET /openapi.json", "OPTIONS /{proxy+}"}
    for _, kind, properties in evaluated:
        if kind == "AWS::ApiGateway::Method":
            route = f"{properties['HttpMethod']} {paths[properties['ResourceId']]}"
            guarded = properties["AuthorizationType"] == "AWS_IAM" or properties.get("ApiKeyRequired") is True
            if guarded == (route in public):
                yield f"{route} is {'closed' if guarded else 'open'}"


def alias(template):
    for logical in ("Live", "FirstVersion"):
        for name in references(template["Resources"][logical]):
            if name in template["Parameters"]:
                yield f"an update of {name} resets {logical}"


def references(node):
    if isinstance(node, dict):
        yield from listed(node.get("Ref", []))
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def metrics(template):
    """Alarms and dashboard read only what is emitted: names and dimensions of metrics.json, or AWS's own."""
    evaluated = Template(template, CODE).evaluated()
    for logical, kind, properties in evaluated:
        if kind == "AWS::CloudWatch::Alarm":
            queries = [query["MetricStat"]["Metric"] for query in properties.get("Metrics", []) if "MetricStat" in query]
            for metric in queries or [properties]:
                dimensions = sorted(entry["Name"] for entry in metric.get("Dimensions", []))
                yield from unknown(logical, metric["Namespace"], metric["MetricName"], dimensions)
        if kind == "AWS::CloudWatch::Dashboard":
            for widget in json.loads(properties["DashboardBody"])["widgets"]:
                for namespace, name, *more in (entry for entry in widget["properties"]["metrics"] if isinstance(entry[0], str)):
                    dimensions = sorted(part for part in more[:-1:2] if isinstance(part, str))
                    yield from unknown(logical, namespace, name, dimensions)


def unknown(logical, namespace, name, dimensions):
    if namespace.startswith("AWS/"):
        return
    sets = [sorted(one) for one in METRICS["dimensions"]]
    if namespace != METRICS["namespace"] or name not in METRICS["metrics"] or dimensions not in sets:
        yield f"{logical} watches {namespace} {name} {dimensions}, which nobody emits"
