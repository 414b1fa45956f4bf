"""One form for what the templates create: {(type, name): properties}, with CloudFormation's names for types and properties.

Every property counts. What is written in two ways (a list of one action or the action, the order of statements' actions) is
brought into one; nothing else is left out.
"""

import json

# Which properties name a resource, by its type.
NAMES = {
    "Amplify::App": ["Name"],
    "Amplify::Branch": ["AppId", "BranchName"],
    "ApiGateway::Account": [],
    "ApiGateway::ApiKey": ["Name"],
    "ApiGateway::Deployment": ["RestApiId"],
    "ApiGateway::GatewayResponse": ["ResponseType"],
    "ApiGateway::Method": ["ResourceId", "HttpMethod"],
    "ApiGateway::Resource": ["PathPart"],
    "ApiGateway::RestApi": ["Name"],
    "ApiGateway::Stage": ["StageName"],
    "ApiGateway::UsagePlan": ["UsagePlanName"],
    "ApiGateway::UsagePlanKey": ["KeyId"],
    "Budgets::Budget": [],
    "CloudWatch::Alarm": ["AlarmName"],
    "CloudWatch::Dashboard": ["DashboardName"],
    "DynamoDB::Table": ["TableName"],
    "Events::Rule": ["Name"],
    "IAM::ManagedPolicy": ["ManagedPolicyName"],
    "IAM::Policy": ["Roles", "PolicyName"],
    "IAM::Role": ["RoleName"],
    "Lambda::Alias": ["Name"],
    "Lambda::EventSourceMapping": ["EventSourceArn"],
    "Lambda::Function": ["FunctionName"],
    "Lambda::Permission": ["FunctionName", "Principal"],
    "Lambda::Version": ["FunctionName"],
    "Logs::LogGroup": ["LogGroupName"],
    "Logs::ResourcePolicy": ["PolicyName"],
    "S3::Bucket": ["BucketName"],
    "S3::BucketPolicy": ["Bucket"],
    "SNS::Subscription": ["Protocol", "Endpoint"],
    "SNS::Topic": ["TopicName"],
    "SNS::TopicPolicy": ["Topics"],
    "SQS::Queue": ["QueueName"],
    "SQS::QueuePolicy": ["Queues"],
    "XRay::TransactionSearchConfig": [],
}


class Model(dict):
    """What is created; nothing twice."""

    def add(self, kind, properties):
        name = " ".join(json.dumps(properties[key]).replace('"', "") for key in NAMES[kind])
        assert (kind, name) not in self, f"{kind} {name} is there twice"
        self[kind, name] = normal(kind, properties)

    def differences(self, other):
        """Where two models differ, each difference as a line."""
        for key in sorted(self.keys() | other.keys()):
            if key not in other or key not in self:
                yield f"{' '.join(key)} is in one only"
            else:
                yield from different(" ".join(key), self[key], other[key])


def different(path, left, right):
    if isinstance(left, dict) and isinstance(right, dict):
        for name in sorted(left.keys() | right.keys()):
            if name not in left or name not in right:
                yield f"{path}.{name} is in one only: {json.dumps(left.get(name, right.get(name)))}"
            else:
                yield from different(f"{path}.{name}", left[name], right[name])
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (one, two) in enumerate(zip(left, right)):
            yield from different(f"{path}[{index}]", one, two)
    elif left != right:
        yield f"{path}: {json.dumps(left)} and {json.dumps(right)}"


def normal(kind, properties):
    """The properties with policies, sets and numbers in one form."""
    changed = {name: policy(value) if "PolicyDocument" in name else value for name, value in properties.items()}
    if kind == "S3::Bucket":
        rules = changed["LifecycleConfiguration"]["Rules"]
        changed["LifecycleConfiguration"] = {"Rules": sorted(rules, key=lambda rule: rule["Id"])}
    if kind == "DynamoDB::Table":
        changed["AttributeDefinitions"] = sorted(changed["AttributeDefinitions"], key=lambda entry: entry["AttributeName"])
    if kind == "Lambda::Function":
        variables = changed["Environment"]["Variables"]
        changed["Environment"] = {"Variables": {name: str(value) for name, value in variables.items()}}
    if kind == "CloudWatch::Dashboard":
        changed["DashboardBody"] = json.loads(changed["DashboardBody"])
    if kind == "ApiGateway::Stage":
        log = changed["AccessLogSetting"]
        # API Gateway takes a log group's ARN with and without what CloudFormation appends.
        changed["AccessLogSetting"] = {"DestinationArn": log["DestinationArn"].removesuffix(":*"), "Format": json.loads(log["Format"])}
    if kind == "CloudWatch::Alarm":
        changed["Threshold"] = float(changed["Threshold"])
        if "Metrics" in changed:
            changed["Metrics"] = sorted(changed["Metrics"], key=lambda metric: metric["Id"])
    if kind == "ApiGateway::UsagePlan":
        # Without limits of its own for single methods.
        changed["ApiStages"] = [{name: value for name, value in stage.items() if value != {}} for stage in changed["ApiStages"]]
    return changed


def policy(document):
    document = json.loads(document) if isinstance(document, str) else document
    assert set(document) == {"Version", "Statement"}, document
    statements = document["Statement"]
    return document | {"Statement": [statement(one) for one in (statements if isinstance(statements, list) else [statements])]}


def statement(one):
    sets = {name: sorted(listed(one[name])) for name in ("Action", "Resource") if name in one}
    principal = one.get("Principal")
    if isinstance(principal, dict):
        sets["Principal"] = {name: sorted(listed(value)) for name, value in principal.items()}
    return one | sets


def listed(value):
    return value if isinstance(value, list) else [value]


def from_cloudformation(evaluated):
    model = Model()
    for _, kind, properties in evaluated:
        model.add(kind.removeprefix("AWS::"), properties)
    return model
