"""The routes that look inside: which words decided, and what the LSTM remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Blueprint, Response
from pydantic import BaseModel, ValidationError

from sentiment.errors import ConfigError, TextError
from service.http import body, problems
from service.http.openapi import Scope, operation
from service.http.problems import UNKNOWN_MODEL
from service.http.request_helpers import current_request
from service.http.responses import JSONResponse
from service.inference import deadline, postprocessing
from service.inference.explain_queue import ExplainQueue
from service.inference.model import Model, version_of
from service.inference.registry import Models
from service.schemas.explain import ExplainRequest, ExplainResponse, TraceRequest, TraceResponse
from service.schemas.problems import FieldError
from service.settings import ServiceSettings

if TYPE_CHECKING:
    from sentiment.classifier import AnyModel, Classifier

Request = TypeVar("Request", bound=BaseModel)


def blueprint(settings: ServiceSettings, models: Models) -> Blueprint:
    """Return the routes over these models. They share one thread, and nothing with predictions."""
    routes = Blueprint("inspection", __name__)
    explanations = ExplainQueue()

    @routes.post("/v1/explain")
    @operation(ExplainResponse, request=ExplainRequest, scope=Scope.PREDICT)
    def explain() -> Response:
        """Which words decided, of each text, for the model named `default`."""
        return _explain(settings, models.get(), explanations)

    @routes.post("/v1/models/<name>/explain")
    @operation(ExplainResponse, request=ExplainRequest, scope=Scope.PREDICT, problems=[UNKNOWN_MODEL])
    def explain_with(name: str) -> Response:
        """Which words decided, of each text, for the model of this name."""
        return _explain(settings, models.get(name), explanations)

    @routes.post("/v1/trace")
    @operation(TraceResponse, request=TraceRequest, scope=Scope.PREDICT)
    def trace() -> Response:
        """What the LSTM of the model named `default` computed at every token of one text."""
        return _trace(settings, models.get(), explanations)

    @routes.post("/v1/models/<name>/trace")
    @operation(TraceResponse, request=TraceRequest, scope=Scope.PREDICT, problems=[UNKNOWN_MODEL])
    def trace_with(name: str) -> Response:
        """What the LSTM of the model of this name computed at every token of one text."""
        return _trace(settings, models.get(name), explanations)

    return routes


def _explain(settings: ServiceSettings, model: Model, explanations: ExplainQueue) -> Response:
    wanted = _read(ExplainRequest, settings)
    count, limit = len(wanted.texts), settings.max_texts_per_explanation
    if not 1 <= count <= limit:
        detail = f"holds {count} texts; 1 to {limit} are allowed"
        raise problems.invalid_request([FieldError(pointer="/texts", detail=detail)])

    def look(classifier: AnyModel) -> Any:
        _check_tokens(classifier, wanted.texts, "/texts", settings.max_tokens_per_explanation)
        return _with_labels(classifier).explain(wanted.texts)

    return _answer("explanations", look, settings, model, explanations, wanted.texts, lambda index: f"/texts/{index}")


def _trace(settings: ServiceSettings, model: Model, explanations: ExplainQueue) -> Response:
    wanted = _read(TraceRequest, settings)

    def look(classifier: AnyModel) -> Any:
        _check_tokens(classifier, [wanted.text], "/text", settings.max_tokens_per_trace)
        return _with_labels(classifier).trace(wanted.text).as_dict()

    return _answer("trace", look, settings, model, explanations, [wanted.text], lambda _: "/text")


def _answer(
    name: str,
    look: Callable[[AnyModel], Any],
    settings: ServiceSettings,
    model: Model,
    explanations: ExplainQueue,
    wanted: Sequence[str],
    pointer: postprocessing.Pointer,
) -> Response:
    """Return what `look` sees in these texts, under this name, beside which model it is that was looked into."""
    postprocessing.check(wanted, pointer, settings)
    classifier = model.classifier  # read once: whatever replaces it meanwhile
    try:
        seen = explanations.run(lambda: look(classifier), len(wanted), deadline.current())
    except TextError as error:
        raise problems.invalid_text(error, pointer(error.index)) from None
    except ConfigError as error:  # the model is of a kind that can't be looked into so
        raise problems.invalid_request([FieldError(pointer=pointer(0), detail=str(error))]) from None
    return JSONResponse({"model": version_of(classifier).model_dump(), name: seen})


def _read(schema: type[Request], settings: ServiceSettings) -> Request:
    content = body.parse(body.read(current_request(), ["application/json"], settings.max_body_bytes))
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        raise problems.invalid_fields(error, schema) from None


def _with_labels(classifier: AnyModel) -> Classifier:
    if classifier.task == "regression":
        raise ConfigError(f"can't be looked into: that {problems.NO_LABELS}")
    return classifier


def _check_tokens(classifier: AnyModel, wanted: Sequence[str], pointer: str, limit: int) -> None:
    count = sum(len(text.token_ids) for text in classifier.encode(wanted))
    if count > limit:
        detail = f"has {count} tokens; the limit of what is looked into is {limit}"
        raise problems.invalid_request([FieldError(pointer=pointer, detail=detail)])
