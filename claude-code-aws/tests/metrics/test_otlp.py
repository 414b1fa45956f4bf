"""Spans and metrics over OTLP, read by OpenTelemetry's own classes.

OTLP_BODIES names a directory with them, one in hex a line; see .ci/metrics.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, ScopeMetrics
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

DIRECTORY = Path(os.environ.get("OTLP_BODIES", "/nonexistent"))
TRACE = bytes.fromhex("4bf92f3577b34da6a3ce929d0e0e4736")
NEW = {
    "gen_ai.client.inference.duration",
    "gen_ai.client.inference.time_to_first_chunk",
    "gen_ai.client.inference.operation.input_tokens",
    "gen_ai.client.inference.operation.output_tokens",
    "gen_ai.client.inference.usage.input_tokens",
    "gen_ai.client.inference.usage.output_tokens",
    "gen_ai.client.inference.usage.cache_read.input_tokens",
    "gen_ai.client.inference.usage.cache_write.input_tokens",
    "gen_ai.client.inference.usage.reasoning.output_tokens",
    "claude_code.attempts",
    "claude_code.cost",
}
OLD = {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"}


def read(name: str, count: int) -> list[bytes]:
    found = [bytes.fromhex(line) for line in (DIRECTORY / name).read_text(encoding="ascii").split("\n")]
    assert len(found) == count
    return found


def has_unknown_fields(message: Any) -> bool:
    """Whether bytes were read that the schema does not know: writing it again then gives others."""
    from google.protobuf.unknown_fields import UnknownFieldSet

    if len(UnknownFieldSet(message)):
        return True
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        inner = [value] if not hasattr(value, "__len__") or hasattr(value, "ListFields") else value
        if any(has_unknown_fields(one) for one in inner):
            return True
    return False


def test_every_span_is_one_by_opentelemetrys_schema() -> None:
    for body in read("spans", 10_000):
        span = Span.FromString(body)
        assert not has_unknown_fields(span)
        assert span.trace_id == TRACE
        assert (len(span.span_id), len(span.parent_span_id), span.trace_state) == (8, 8, "vendor=1")
        assert span.kind == Span.SPAN_KIND_CLIENT
        assert span.name.startswith("chat ")
        assert span.start_time_unix_nano <= span.end_time_unix_nano
        names = [pair.key for pair in span.attributes]
        assert len(names) == len(set(names)), "no attribute stands twice"
        assert all(pair.value.WhichOneof("value") for pair in span.attributes)
        failed = span.status.code == Status.STATUS_CODE_ERROR
        assert failed == ("error.type" in names)


def test_every_metric_is_one_by_opentelemetrys_schema() -> None:
    for body in read("metrics", 1_000):
        scope = ScopeMetrics.FromString(body)
        assert not has_unknown_fields(scope)
        names = {metric.name for metric in scope.metrics}
        assert names in (NEW, NEW | OLD)
        for metric in scope.metrics:
            kind = metric.WhichOneof("data")
            data = getattr(metric, kind)
            assert data.aggregation_temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
            assert data.data_points
            if kind == "sum":
                assert data.is_monotonic
                continue
            for point in data.data_points:
                assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
                assert sum(point.bucket_counts) == point.count
                assert list(point.explicit_bounds) == sorted(point.explicit_bounds)


