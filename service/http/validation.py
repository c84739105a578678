"""Describe how JSON violates a request's schema, without repeating what may be a text."""

import re
from typing import Any

from pydantic import BaseModel, ValidationError

from service.schemas.base import FieldError

_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,31}")
_JSON_TYPES = {
    type(None): "null", bool: "a boolean", int: "a number", float: "a number",
    str: "a string", list: "an array", dict: "an object",
}  # fmt: skip
_EXPECTED = {
    "string_type": "a string", "list_type": "an array", "bool_type": "a boolean", "float_type": "a number",
    "int_type": "a whole number", "model_type": "an object",
}  # fmt: skip
_COMPARED = {"greater_than_equal": "at least", "less_than": "less than", "less_than_equal": "at most"}


def faults(error: ValidationError, schema: type[BaseModel]) -> list[FieldError]:
    """Return each fault, and the pointer to it."""
    fields = ", ".join(schema.model_fields)
    return [
        FieldError(pointer=_pointer(fault["loc"]), detail=_detail(dict(fault), fields))
        for fault in error.errors(include_url=False)
    ]


def field_name(name: str) -> str | None:
    """Return the name if it looks like a field's: a client may send a text as a name."""
    return name if _FIELD_NAME.fullmatch(name) else None


def json_type(value: object) -> str:
    """Return JSON's name for the type of this value."""
    return _JSON_TYPES[type(value)]


def _pointer(location: tuple[int | str, ...]) -> str:
    steps = [step if isinstance(step, int) else field_name(step) for step in location]
    return "".join(f"/{step}" for step in steps if step is not None)


def _detail(fault: dict[str, Any], fields: str) -> str:
    kind, location = fault["type"], fault["loc"]
    if kind in _EXPECTED:
        return f"must be {_EXPECTED[kind]}, not {json_type(fault['input'])}"
    match kind:
        case "string_unicode" if location:  # a value, or a name in the object there
            return "holds a lone surrogate: it is not valid Unicode"
        case "missing":
            return "is missing"
        case "greater_than_equal" | "less_than" | "less_than_equal":
            (limit,) = fault["ctx"].values()
            return f"must be {_COMPARED[kind]} {limit:g}, not {fault['input']:g}"
        case "too_short" | "too_long":
            limits, actual = fault["ctx"], fault["ctx"]["actual_length"]
            at = f"at least {limits['min_length']}" if kind == "too_short" else f"at most {limits['max_length']}"
            return f"must hold {at}, not {actual}"
        case "literal_error":
            return f"must be {fault['ctx']['expected']}"
        case "extra_forbidden" if len(location) > 1:
            return "is not a field here" if field_name(location[-1]) else "has a field that is unknown here"
        case "extra_forbidden" if field_name(location[-1]):
            return f"is not a field of a request; those are {fields}"
        case "extra_forbidden" | "string_unicode":  # the latter for a name with a lone surrogate
            return f"has a field that is not one of a request; those are {fields}"
    return str(fault["msg"])
