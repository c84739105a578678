"""Adapt schemathesis where the document is not enough; schemathesis runs this, not pytest."""

from contextlib import suppress
from typing import Any

import schemathesis

DEADLINE = "X-Request-Timeout-Seconds"
AMPLE_SECONDS = 10.0


@schemathesis.serializer("application/x-ndjson")
def write_lines(_: Any, value: Any) -> bytes:
    """Any bytes are a stream of lines, good or bad."""
    return str(value).encode("utf-8", "replace")


@schemathesis.hook
def before_call(_: Any, case: Any, **__: Any) -> None:
    """Makes a sound tensor's shape and size agree with its data, and a sound deadline ample.

    For the one a schema has no words; the other, a moment, is answered by 504, as it should be.
    """
    with suppress(KeyError, TypeError, ValueError):  # there is none, or one that isn't sound
        if 0 < float(case.headers[DEADLINE]) < AMPLE_SECONDS:
            case.headers[DEADLINE] = str(AMPLE_SECONDS)
    if isinstance(case.body, dict):  # the tests' model has no table to keep a promise by, and says so
        for options in (case.body, case.body.get("parameters")):
            if isinstance(options, dict) and isinstance(options.get("abstain"), float | int):
                options["abstain"] = 0
    if case.operation.path.endswith("/infer") and case.meta and case.meta.generation.mode.is_positive:
        tensor = case.body["inputs"][0]
        texts = tensor.setdefault("data", ["good"])
        tensor["shape"] = [len(texts), 1][: len(tensor["shape"])]
        tensor.get("parameters", {}).pop("binary_data_size", None)
