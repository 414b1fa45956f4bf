"""CloudFormation's functions: a template under given parameters becomes resources with plain values, as the service would see them."""

import re

import known

ABSENT = object()


class Template:
    def __init__(self, template, parameters):
        self.resources = template["Resources"]
        self.conditions = template.get("Conditions", {})
        self.outputs_of = template.get("Outputs", {})
        declared = template["Parameters"]
        given = {name: parameters.get(name, entry.get("Default", ABSENT)) for name, entry in declared.items()}
        for name, value in given.items():
            allowed = declared[name].get("AllowedValues")
            assert value is not ABSENT, f"parameter {name} is not given"
            assert allowed is None or value in allowed, f"parameter {name} takes {allowed}"
        self.values = given | {
            "AWS::AccountId": known.ACCOUNT,
            "AWS::Region": known.REGION,
            "AWS::Partition": known.PARTITION,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": ABSENT,
        }

    def evaluated(self):
        """Each resource that exists under the parameters: its logical id, type and properties."""
        return [
            (logical, entry["Type"], self.value(entry.get("Properties", {})))
            for logical, entry in self.resources.items()
            if "Condition" not in entry or self.holds(entry["Condition"])
        ]

    def outputs(self):
        shown = {name: entry for name, entry in self.outputs_of.items() if "Condition" not in entry or self.holds(entry["Condition"])}
        return {name: self.value(entry["Value"]) for name, entry in shown.items()}

    def holds(self, name):
        return self.truth(self.conditions[name])

    def truth(self, test):
        (function, arguments), = test.items()
        if function == "Fn::Equals":
            left, right = (self.value(side) for side in arguments)
            return str(left) == str(right)
        if function == "Fn::Not":
            return not self.truth(arguments[0])
        if function == "Condition":
            return self.holds(arguments)
        raise NotImplementedError(function)

    def value(self, node):
        if isinstance(node, list):
            values = [self.value(item) for item in node]
            return [value for value in values if value is not ABSENT]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (name, argument), = node.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self.function(name, argument)
        values = {name: self.value(item) for name, item in node.items()}
        return {name: value for name, value in values.items() if value is not ABSENT}

    def function(self, name, argument):
        if name == "Ref":
            return self.values[argument] if argument in self.values else self.reference(argument)
        if name == "Fn::GetAtt":
            return self.attribute(*argument)
        if name == "Fn::If":
            condition, then, otherwise = argument
            return self.value(then if self.holds(condition) else otherwise)
        if name == "Fn::Join":
            separator, parts = argument
            return separator.join(str(part) for part in self.value(parts))
        if name == "Fn::Select":
            index, items = argument
            return self.value(items)[int(index)]
        if name == "Fn::Sub":
            return self.substituted(argument)
        raise NotImplementedError(name)

    def substituted(self, argument):
        text, more = (argument, {}) if isinstance(argument, str) else argument
        more = self.value(more)

        def one(found):
            name = found[1]
            if name in more:
                return str(more[name])
            return str(self.attribute(*name.split(".")) if "." in name else self.function("Ref", name))

        return re.sub(r"\$\{([A-Za-z0-9:.]+)\}", one, text)

    def properties(self, logical):
        entry = self.resources[logical]
        return entry["Type"].removeprefix("AWS::"), entry.get("Properties", {})

    def named(self, logical, name):
        return self.value(self.properties(logical)[1][name])

    def reference(self, logical):
        kind, properties = self.properties(logical)
        take = lambda name: self.value(properties[name])  # noqa: E731
        return {
            "DynamoDB::Table": lambda: take("TableName"),
            "S3::Bucket": lambda: take("BucketName"),
            "IAM::Role": lambda: take("RoleName"),
            "SQS::Queue": lambda: known.queue_url(take("QueueName")),
            "SNS::Topic": lambda: known.topic(take("TopicName")),
            "Logs::LogGroup": lambda: take("LogGroupName"),
            "Lambda::Function": lambda: take("FunctionName"),
            "Lambda::Version": lambda: f"{known.function(take('FunctionName'))}:1",
            "Lambda::Alias": lambda: f"{known.function(take('FunctionName'))}:{take('Name')}",
            "ApiGateway::RestApi": lambda: known.API,
            "ApiGateway::Resource": lambda: known.resource(take("PathPart")),
            "ApiGateway::Deployment": lambda: known.DEPLOYMENT,
            "ApiGateway::Stage": lambda: take("StageName"),
            "ApiGateway::UsagePlan": lambda: known.PLAN,
            "ApiGateway::ApiKey": lambda: known.KEY,
            "ApiGateway::Account": lambda: "account",
        }[kind]()

    def attribute(self, logical, name):
        kind, properties = self.properties(logical)
        take = lambda key: self.value(properties[key])  # noqa: E731
        return {
            ("DynamoDB::Table", "Arn"): lambda: known.table(take("TableName")),
            ("S3::Bucket", "Arn"): lambda: known.bucket(take("BucketName")),
            ("IAM::Role", "Arn"): lambda: known.role(take("RoleName")),
            ("SQS::Queue", "Arn"): lambda: known.queue(take("QueueName")),
            ("SQS::Queue", "QueueName"): lambda: take("QueueName"),
            ("SNS::Topic", "TopicArn"): lambda: known.topic(take("TopicName")),
            ("Logs::LogGroup", "Arn"): lambda: f"{known.log_group(take('LogGroupName'))}:*",
            ("Lambda::Function", "Arn"): lambda: known.function(take("FunctionName")),
            ("Lambda::Version", "Version"): lambda: "1",
            ("Lambda::Alias", "AliasArn"): lambda: self.reference(logical),
            ("ApiGateway::RestApi", "RootResourceId"): lambda: known.ROOT,
            ("ApiGateway::Deployment", "DeploymentId"): lambda: known.DEPLOYMENT,
            ("Amplify::App", "AppId"): lambda: known.PAGE,
            ("Amplify::App", "DefaultDomain"): lambda: known.PAGE_DOMAIN,
        }[kind, name]()
