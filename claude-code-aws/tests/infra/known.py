"""Names that AWS gives, for one account and region: the same for what Terraform plans and what CloudFormation's functions give."""

ACCOUNT, REGION, PARTITION = "123456789012", "us-east-1", "aws"
HERE = f"{REGION}:{ACCOUNT}"
DATA = {
    "aws_caller_identity": {"account_id": ACCOUNT},
    "aws_partition": {"partition": PARTITION},
    "aws_region": {"region": REGION},
}
API, ROOT, PLAN, KEY, PAGE, DEPLOYMENT, MAPPING = "api1", "root", "plan1", "key1", "page1", "deployment1", "mapping1"
PAGE_DOMAIN = f"{PAGE}.amplifyapp.com"


def table(name):
    return f"arn:aws:dynamodb:{HERE}:table/{name}"


def bucket(name):
    return f"arn:aws:s3:::{name}"


def role(name):
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def queue(name):
    return f"arn:aws:sqs:{HERE}:{name}"


def queue_url(name):
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"


def topic(name):
    return f"arn:aws:sns:{HERE}:{name}"


def log_group(name):
    return f"arn:aws:logs:{HERE}:log-group:{name}"


def function(name):
    return f"arn:aws:lambda:{HERE}:function:{name}"


def resource(path):
    return f"resource:{path}"


def attributes(kind, values):
    """What Terraform's provider would know of a planned resource after it is there."""
    name = values.get("name")
    return {
        "aws_dynamodb_table": lambda: {"arn": table(name), "id": name},
        "aws_s3_bucket": lambda: {"arn": bucket(values["bucket"]), "id": values["bucket"]},
        "aws_iam_role": lambda: {"arn": role(name), "id": name},
        "aws_sqs_queue": lambda: {"arn": queue(name), "url": queue_url(name), "id": queue_url(name)},
        "aws_sns_topic": lambda: {"arn": topic(name), "id": topic(name)},
        "aws_cloudwatch_log_group": lambda: {"arn": log_group(name), "id": name},
        "aws_lambda_function": lambda: {"arn": function(values["function_name"]), "version": "1"},
        "aws_lambda_alias": lambda: {"arn": f"{function(values['function_name'])}:{name}"},
        "aws_api_gateway_rest_api": lambda: {"id": API, "root_resource_id": ROOT},
        "aws_api_gateway_resource": lambda: {"id": resource(values["path_part"])},
        "aws_api_gateway_deployment": lambda: {"id": DEPLOYMENT},
        "aws_api_gateway_stage": lambda: {"invoke_url": f"https://{API}.execute-api.{REGION}.amazonaws.com/{values['stage_name']}"},
        "aws_api_gateway_usage_plan": lambda: {"id": PLAN},
        "aws_api_gateway_api_key": lambda: {"id": KEY},
        "aws_amplify_app": lambda: {"id": PAGE, "default_domain": PAGE_DOMAIN},
    }.get(kind, dict)()
