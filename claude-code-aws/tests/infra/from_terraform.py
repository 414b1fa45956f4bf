"""Terraform's planned resources in the form of `canonical`: types and properties as CloudFormation names them.

Each planned value must be used: one that is set and that nobody here knows is an error, so nothing of a .tf file escapes the
comparison.
"""

from canonical import Model
from planned import Values
from terraform_kinds import KINDS
from terraform_parts import PARTS, bucket


def from_terraform(resources):
    model, parts = Model(), Parts()
    for address, kind, planned in resources:
        values = Values(address, planned)
        values.drop("id")
        if "arn" in values and kind not in ("aws_cloudwatch_event_target", "aws_sns_topic_policy"):
            values.drop("arn")
        if kind in PARTS or kind.startswith("aws_s3_bucket"):
            PARTS.get(kind, bucket)(kind, values, parts)
        else:
            for added in KINDS[kind](values):
                model.add(*added)
        values.end()
    for kind, properties in parts.whole():
        model.add(kind, properties)
    for key, properties in parts.more.items():
        model[key].update(properties)
    return model


class Parts:
    """What Terraform has in several resources and CloudFormation in one."""

    def __init__(self):
        self.found = {}
        self.more = {}

    def of(self, kind, name):
        return self.found.setdefault((kind, name), {})

    def whole(self):
        return [(kind, properties) for (kind, _), properties in self.found.items()]
