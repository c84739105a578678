"""Build the API's document (OpenAPI 3.1) from the routes, their docstrings and their schemas."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from enum import Enum
from typing import Any, TypeVar, cast

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import sentiment
from service.http import problems
from service.http.problems import ProblemType
from service.inference import deadline
from service.schemas.base import InferenceProblemDetails, ProblemDetails
from service.settings import ServiceSettings

View = TypeVar("View", bound=Callable[..., Any])

_REQUEST_PROBLEMS = (
    problems.INCOMPLETE_BODY, problems.INVALID_JSON, problems.REQUEST_TIMEOUT, problems.BODY_TOO_LARGE,
    problems.UNSUPPORTED_MEDIA_TYPE, problems.INVALID_REQUEST, problems.TEXT_FAILED, problems.OVERLOADED,
    problems.DEADLINE_PASSED, problems.NOT_READY,
)  # fmt: skip
_PATH_PARAMETER = re.compile(r"<(\w+)>")
_DEADLINE = {
    "name": deadline.HEADER,
    "in": "header",
    "description": "Seconds the client will wait, if those are fewer than the service's own.",
    "schema": {"type": "number", "exclusiveMinimum": 0, "examples": [5]},
}
_HEADERS = {"X-Request-ID": {"description": "The request's id: yours, or one made here.", "schema": {"type": "string"}}}


class Scope(str, Enum):
    """A permission of an API key."""

    PREDICT = "predict"
    ADMIN = "admin"
    METRICS = "metrics"


@dataclass(frozen=True)
class Form:
    """A media type of a route's response other than JSON, and of its request if `request` describes it."""

    media_type: str
    answer: str
    request: str = ""
    schema: type[BaseModel] | None = None  # that these words name


@dataclass(frozen=True)
class Operation:
    """Declare what a route reads and writes and which scope it needs, for the document and for access control.

    A decorator, which attaches itself to the view.
    """

    response: type[BaseModel] | str  # a schema, or the media type of what isn't JSON
    _: KW_ONLY
    request: type[BaseModel] | None = None
    form: Form | None = None
    scope: Scope | None = None  # None: open to everybody
    problems: Sequence[ProblemType] = ()

    def __call__(self, view: View) -> View:
        """Return the view."""
        cast(Any, view).operation = self
        return view


def of(app: Flask, endpoint: str | None) -> Operation | None:
    """Return the operation of an endpoint, None where there is none."""
    return getattr(app.view_functions.get(endpoint or ""), "operation", None)


def document(app: Flask, settings: ServiceSettings, *, keys: bool) -> dict[str, Any]:
    """Return the document of all routes of the app. With `keys`, every route of a scope asks for one."""
    paths: dict[str, dict[str, Any]] = {}
    models: set[type[BaseModel]] = {ProblemDetails, InferenceProblemDetails}
    for rule in app.url_map.iter_rules():
        described = of(app, rule.endpoint)
        if described is None:
            continue
        read_and_written = (described.request, described.response, described.form and described.form.schema)
        models.update(each for each in read_and_written if isinstance(each, type))
        names = _PATH_PARAMETER.findall(rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            path = paths.setdefault(_PATH_PARAMETER.sub(r"{\1}", rule.rule), {})
            summary = (app.view_functions[rule.endpoint].__doc__ or "").splitlines()[0]
            failure = InferenceProblemDetails if rule.rule.startswith("/v2/") else ProblemDetails
            path[method.lower()] = {
                "operationId": rule.endpoint.rpartition(".")[2],
                "summary": summary,
                "tags": [rule.endpoint.partition(".")[0]],
                **_operation(described, failure, names, closed=keys or described.scope is Scope.ADMIN),
            }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sentiment",
            "version": sentiment.__version__,
            "description": "Sentiment of texts by a small bidirectional LSTM. Every error is problem+json (RFC 9457).",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": _schemas(models, settings),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(described: Operation, failure: type[BaseModel], names: Iterable[str], *, closed: bool) -> dict[str, Any]:
    kinds = {problems.INVALID_HEADER, problems.INTERNAL_ERROR, *described.problems}
    content: dict[str, Any] = {}
    if described.request:
        kinds.update(_REQUEST_PROBLEMS)
        content["application/json"] = {"schema": _reference(described.request)}
    if described.form and described.form.request:
        content[described.form.media_type] = {"schema": {"description": described.form.request}}
    if "name" in names:  # of a model
        kinds.add(problems.UNKNOWN_MODEL)
    if described.scope is Scope.PREDICT:
        kinds.add(problems.RATE_LIMITED)
    if described.scope and closed:
        kinds.update((problems.UNAUTHORIZED, problems.FORBIDDEN))
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "examples": ["default"]}}
        for name in names
    ]
    if described.request:
        parameters.append(_DEADLINE)
    return (
        ({"parameters": parameters} if parameters else {})
        | ({"requestBody": {"required": True, "content": content}} if content else {})
        | ({"security": [{"key": []}]} if described.scope and closed else {})
        | {"responses": {"200": _success(described), **_failures(kinds, failure)}}
    )


def _success(described: Operation) -> dict[str, Any]:
    if isinstance(described.response, str):
        content: dict[str, Any] = {described.response: {"schema": {"type": "string"}}}
    else:
        content = {"application/json": {"schema": _reference(described.response)}}
    if described.form:
        content[described.form.media_type] = {"schema": {"description": described.form.answer}}
    return {"description": "The answer.", "headers": _HEADERS, "content": content}


def _failures(kinds: Iterable[ProblemType], schema: type[BaseModel]) -> dict[str, Any]:
    titles: dict[str, list[str]] = {}
    for kind in sorted(kinds, key=lambda kind: (kind.status, kind.name)):
        titles.setdefault(str(kind.status), []).append(f"{kind.title} (`{kind.name}`).")
    content = {problems.MEDIA_TYPE: {"schema": _reference(schema)}}
    return {
        status: {"description": " ".join(words), "headers": _HEADERS, "content": content}
        for status, words in titles.items()
    }


def _reference(schema: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{schema.__name__}"}


def _schemas(models: Iterable[type[BaseModel]], settings: ServiceSettings) -> dict[str, Any]:
    ordered = sorted(models, key=lambda model: model.__name__)
    _, definitions = models_json_schema(
        [(model, "validation") for model in ordered], ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, Any] = definitions["$defs"]
    for name in ("PredictRequest", "LineRequest", "TraceRequest"):
        schemas[name]["properties"]["text"]["maxLength"] = settings.max_characters_per_text
    most = {"PredictRequest": settings.max_texts_per_request, "ExplainRequest": settings.max_texts_per_explanation}
    for name, count in most.items():
        texts = schemas[name]["properties"]["texts"]
        texts["maxItems"] = count
        texts["items"]["maxLength"] = settings.max_characters_per_text
    return schemas
