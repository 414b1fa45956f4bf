"""Lines in CloudWatch's embedded metric format, judged by two libraries that are not ours.

EMF_LINES names a file of them; see .ci/metrics.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from aws_embedded_metrics import validator
from aws_embedded_metrics.storage_resolution import StorageResolution
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider
from jsonschema import Draft7Validator

# The format's specification in the user guide of CloudWatch Logs, as JSON Schema.
SCHEMA = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer"},
                "CloudWatchMetrics": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "properties": {
                            "Namespace": {"type": "string", "minLength": 1, "maxLength": 1024},
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "array",
                                    "maxItems": 30,
                                    "items": {"type": "string", "minLength": 1, "maxLength": 250},
                                },
                            },
                            "Metrics": {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": 100,
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "properties": {"Name": {"type": "string", "minLength": 1, "maxLength": 1024}},
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}
LINES = Path(os.environ.get("EMF_LINES", "/nonexistent"))


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    found = [json.loads(line, parse_constant=pytest.fail) for line in LINES.read_text(encoding="utf-8").split("\n")[:-1]]
    assert len(found) > 10_000
    return found


def directive(line: dict[str, Any]) -> dict[str, Any]:
    (only,) = line["_aws"]["CloudWatchMetrics"]
    return only


def test_every_line_is_valid_by_the_specification(lines: list[dict[str, Any]]) -> None:
    judge = Draft7Validator(SCHEMA)
    for line in lines:
        judge.validate(line)
        for dimensions in directive(line)["Dimensions"]:
            assert all(isinstance(line[name], str) for name in dimensions)


def test_every_line_is_valid_by_aws_embedded_metrics(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        told = directive(line)
        validator.validate_namespace(told["Namespace"])
        validator.validate_timestamp(datetime.fromtimestamp(line["_aws"]["Timestamp"] / 1000, timezone.utc).replace(tzinfo=None))
        for dimensions in told["Dimensions"]:
            validator.validate_dimension_set({name: line[name] for name in dimensions})
        seen: dict[str, StorageResolution] = {}
        for metric in told["Metrics"]:
            name = metric["Name"]
            validator.validate_metric(name, line[name], metric["Unit"], StorageResolution.STANDARD, seen)
            assert name not in seen, "no metric stands twice"
            seen[name] = StorageResolution.STANDARD


def test_powertools_writes_the_same_metrics(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        told = directive(line)
        theirs = AmazonCloudWatchEMFProvider(namespace=told["Namespace"], metric_set={}, dimension_set={}, metadata_set={}, default_dimensions={})
        for name in told["Dimensions"][0]:
            theirs.add_dimension(name, line[name])
        for metric in told["Metrics"]:
            theirs.add_metric(metric["Name"], metric["Unit"], line[metric["Name"]])
        theirs.set_timestamp(line["_aws"]["Timestamp"])
        expected = theirs.serialize_metric_set()
        assert expected["_aws"]["Timestamp"] == line["_aws"]["Timestamp"]
        other = directive(expected)
        assert other["Namespace"] == told["Namespace"]
        assert sorted(other["Dimensions"][0]) == sorted(told["Dimensions"][0])
        pairs = [(metric["Name"], metric["Unit"]) for metric in told["Metrics"]]
        assert [(metric["Name"], metric["Unit"]) for metric in other["Metrics"]] == pairs
        for name, _ in pairs:
            assert expected[name] == [float(line[name])]
