"""The page of the HTTP API, from the OpenAPI document that the service itself gives out."""

from collections.abc import Iterator
from functools import cache
from typing import Any, cast

from sentiment.default import DEFAULT_MODEL
from service.app import create_app
from service.http import problems
from service.settings import ServiceSettings

LIMITS = {
    "minItems": "at least {} items", "maxItems": "at most {} items", "minLength": "at least {} characters",
    "maxLength": "at most {} characters", "minimum": "at least {}", "maximum": "at most {}",
    "exclusiveMinimum": "above {}", "exclusiveMaximum": "below {}", "default": "default `{}`",
}  # fmt: skip


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document of a service with the default model and settings."""
    client = create_app(ServiceSettings(model=DEFAULT_MODEL)).test_client()
    return cast(dict[str, Any], client.get("/openapi.json").json)


def markdown() -> str:
    """Return routes, schemas and problems in Markdown."""
    described = document()
    lines = ["## Routes", "", *_routes(described["paths"])]
    lines += ["## Shapes", "", *_shapes(described["components"]["schemas"])]
    lines += ["## Problems", "", "The `type` of each is `urn:sentiment:problem:` and its name.", "", *_problems()]
    return "\n".join(lines)


def _routes(paths: dict[str, Any]) -> Iterator[str]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            yield from (f"### `{method.upper()} {path}`", "", operation["summary"], "")
            yield from ("| | form | |", "| --- | --- | --- |")
            for parameter in operation.get("parameters", ()):
                kind = f"`{parameter['name']}` ({parameter['in']})"
                yield _cells(kind, _type(parameter["schema"]), _meaning(parameter))
            yield from _contents("request", operation.get("requestBody", {}).get("content", {}))
            for status, response in operation["responses"].items():
                if status == "200":
                    yield from _contents("200", response["content"])
                else:
                    yield _cells(status, "", response["description"])
            if "security" in operation:
                yield _cells("key", "", "needed")
            yield ""


def _contents(name: str, content: dict[str, Any]) -> Iterator[str]:
    for media_type, described in content.items():
        schema = described["schema"]
        yield _cells(name, f"`{media_type}`", schema.get("description") or _type(schema))


def _shapes(schemas: dict[str, Any]) -> Iterator[str]:
    for name, schema in schemas.items():
        yield from (f"### {name}", "", schema.get("description", ""), "")
        if "properties" not in schema:
            continue
        yield from ("| field | type | | meaning |", "| --- | --- | --- | --- |")
        for field, described in schema["properties"].items():
            needed = "" if field in schema.get("required", ()) else "optional"
            yield _cells(f"`{field}`", _type(described), needed, _meaning(described))
        yield ""


def _problems() -> Iterator[str]:
    yield from ("| status | name | title |", "| ---: | --- | --- |")
    kinds = [kind for kind in vars(problems).values() if isinstance(kind, problems.ProblemType)]
    for kind in sorted(kinds, key=lambda kind: (kind.status, kind.name)):
        yield _cells(str(kind.status), f"`{kind.name}`", kind.title)


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"array of {_type(schema['items'])}" if "items" in schema else "array"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    return str(schema.get("type", "any"))


def _meaning(described: dict[str, Any]) -> str:
    limits = {**described.get("schema", {}), **described}
    said = [words.format(limits[name]) for name, words in LIMITS.items() if name in limits]
    each = [
        f"each {words.format(described['items'][name])}"
        for name, words in LIMITS.items()
        if name in described.get("items", {})
    ]
    return " ".join(filter(None, (described.get("description", ""), "; ".join(said + each).capitalize())))


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
