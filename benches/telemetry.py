"""What OpenTelemetry costs a call in Python: processor time of its span, its attempt's and the metrics, the SDK included.

    python telemetry.py [--package DIRECTORY] [--check]

Bound: 60 us a call. Both exporters are in memory: what a network takes is not counted.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

CALLS, RUNS, BOUND = 200, 60, 60.0


class Nowhere(SpanExporter):
    def export(self, spans: object) -> SpanExportResult:
        return SpanExportResult.SUCCESS


FACTS = (
    (
        "019adf0c-7a3e-7cc1-8d3b-1f2e3d4c5b6a",
        "global.anthropic.claude-haiku-5-5",
        "simple",
        "end_turn",
        "0.00123",
    ),
    (115, 50, 10, 5, 7),
    (True, 1, 1, False, False),
)
ATTEMPT = (
    "first",
    "global.anthropic.claude-haiku-5-5",
    "complete",
    0,
    "d5a7e5b2-6d0c-4f7e-9f63-2d1b1a1e8a11",
)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    package = Path(__file__).parent.parent / "claude-code-py/python"
    arguments.add_argument("--package", type=Path, default=package, help="directory of claude_code")
    arguments.add_argument("--check", action="store_true", help="fail over the bound")
    given = arguments.parse_args()
    sys.path.insert(0, str(given.package))
    traces = TracerProvider()
    traces.add_span_processor(BatchSpanProcessor(Nowhere()))
    trace.set_tracer_provider(traces)
    metrics.set_meter_provider(MeterProvider([InMemoryMetricReader()]))
    from claude_code import _telemetry

    def call() -> None:
        begun = _telemetry.begin("bedrock", "haiku", 900, None, None, None, None, None)
        now = time.time_ns()
        _telemetry.finish(begun, FACTS, [(1, now, now, ATTEMPT, 0.3, 0.3)], None)

    def bare() -> None:
        traces.get_tracer("bare").start_span("bare").end()

    best = {}
    for work in (bare, call):
        for _ in range(CALLS):
            work()
        times = []
        for _ in range(RUNS):
            begun = time.process_time()
            for _ in range(CALLS):
                work()
            # The exporter's thread counts too, and none of its work is left for the next run.
            traces.force_flush()
            times.append((time.process_time() - begun) / CALLS * 1e6)
        best[work.__name__] = min(times)
    print(f"a call's spans and metrics: {best['call']:.1f} us of processor time")
    print(f"an empty span of the SDK: {best['bare']:.1f} us")
    if given.check and best["call"] > BOUND:
        print(f"over {BOUND} us", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
