"""Read a request's body within its limit, and parse it as one JSON object."""

import json
import math
from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar

from flask import Request, request
from pydantic import BaseModel, ValidationError

from service.http import problems
from service.http.problems import BODY_TOO_LARGE, INCOMPLETE_BODY, INVALID_JSON, UNSUPPORTED_MEDIA_TYPE, Problem
from service.http.validation import faults, field_name, json_type

SchemaT = TypeVar("SchemaT", bound=BaseModel)

MAX_INTEGER_DIGITS = 32  # Python takes quadratic time to read an integer
MAX_FIELDS = 100  # of one object; every unknown one is a fault that takes memory to tell


def current_request() -> Request:
    """Return the request object itself: each use of Flask's `request` proxy would look it up again."""
    found: Request = request._get_current_object()  # type: ignore[attr-defined]  # Werkzeug's stubs hide the proxy
    return found


def read(request: Request, media_types: Sequence[str], max_bytes: int) -> bytes:
    """Return the whole body. Raises Problem for another media type, an encoded, an oversized or an incomplete one."""
    check_headers(request, media_types)
    declared = request.content_length
    if declared is not None and declared > max_bytes:
        raise Problem(BODY_TOO_LARGE, f"The body has {declared} bytes; the limit is {max_bytes}.")
    try:
        # Not request.get_data(): of an oversized chunked body it gives the first part, as if that were all.
        body: bytes = request.environ["wsgi.input"].read(max_bytes + 1 if declared is None else declared)
    except Exception:  # a bad chunk, a client gone
        raise problems.broken_body() from None
    if len(body) > max_bytes:
        raise Problem(BODY_TOO_LARGE, f"The body has more than {max_bytes} bytes, the limit.")
    if declared is not None and len(body) < declared:
        raise Problem(INCOMPLETE_BODY, f"The body ended after {len(body)} of {declared} bytes.")
    return body


def read_json(request: Request, schema: type[SchemaT], media_types: Sequence[str], max_bytes: int) -> SchemaT:
    """Read the whole body as an instance of `schema`. Raises Problem."""
    return parse_as(schema, read(request, media_types, max_bytes))


def parse_as(schema: type[SchemaT], content: bytes) -> SchemaT:
    """Parse the JSON as an instance of `schema`. Raises Problem."""
    try:
        return schema.model_validate(parse(content))
    except ValidationError as error:
        raise problems.invalid_request(faults(error, schema)) from None


def parse(body: bytes) -> dict[str, Any]:
    """Return the body's JSON object. Raises Problem for anything that parsers may read differently.

    That is bad UTF-8, repeated fields, NaN and infinities, numbers out of range, and too deep nesting.
    """
    if not body:
        raise _invalid("The body is empty; a JSON object is expected.")
    try:
        value = _decoder.decode(body.decode())
    except UnicodeDecodeError as error:
        raise _invalid(f"The body is not valid UTF-8: see byte {error.start}.") from None
    except json.JSONDecodeError as error:
        raise _invalid(f"The JSON is broken at line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise _invalid("The JSON is nested too deeply.") from None
    if not isinstance(value, dict):
        raise _invalid(f"The body must be a JSON object, not {json_type(value)}.")
    return value


def check_headers(request: Request, media_types: Sequence[str]) -> None:
    """Raise Problem for a body of another media type or charset, and for an encoded one. "" is no media type."""
    encoding = request.environ.get("HTTP_CONTENT_ENCODING", "identity")
    if encoding.lower() != "identity":
        detail = f"Content-Encoding must be absent, not {encoding:.80}."
        raise Problem(UNSUPPORTED_MEDIA_TYPE, detail, headers={"Accept-Encoding": "identity"})
    coding = request.environ.get("HTTP_TRANSFER_ENCODING", "chunked")
    if coding.lower() != "chunked":  # the parser undoes the chunks, and leaves the rest of it as it is
        raise Problem(UNSUPPORTED_MEDIA_TYPE, f"Transfer-Encoding must be chunked or absent, not {coding:.80}.")
    if request.mimetype not in media_types:
        actual = f"{request.mimetype:.80}" or "absent"
        expected = " or ".join(filter(None, media_types))
        raise Problem(UNSUPPORTED_MEDIA_TYPE, f"Content-Type must be {expected}, not {actual}.")
    charset = request.mimetype_params.get("charset", "utf-8")
    if charset.lower() not in ("utf-8", "utf8"):
        raise Problem(UNSUPPORTED_MEDIA_TYPE, f"The charset must be utf-8, not {charset:.80}.")


def _invalid(detail: str) -> Problem:
    return Problem(INVALID_JSON, detail)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_FIELDS:
        raise _invalid(f"An object has {len(pairs)} fields; the limit is {MAX_FIELDS}.")
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise _invalid(f"The field {field_name(twice) or 'of some name'} stands twice in one object.")
    return value


def _integer(digits: str) -> int:
    count = len(digits.lstrip("-"))
    if count > MAX_INTEGER_DIGITS:
        raise _invalid(f"A number has {count} digits; the limit is {MAX_INTEGER_DIGITS}.")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _invalid("A number is out of the range of a double.")
    return value


def _constant(name: str) -> NoReturn:
    raise _invalid(f"{name} is not JSON.")


# The standard decoder, because it alone shows every field of an object; orjson and pydantic keep the last of two.
_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)
