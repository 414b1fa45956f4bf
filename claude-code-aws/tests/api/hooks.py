"""Each case under a key of its own: a key that comes again with another body is refused, as it must be."""

import itertools
from typing import Any

import schemathesis

turn = itertools.count()


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    del context, kwargs
    if case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] += f"-{next(turn)}"
