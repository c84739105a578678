"""Serve explanations of predictions and traces of the LSTM."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from sentiment.errors import ConfigError, TextError
from service.http import body, problems
from service.http.openapi import Operation, Scope
from service.http.responses import JSONResponse
from service.inference import deadline, postprocessing
from service.inference.explain_queue import ExplainQueue
from service.inference.model import version_of
from service.inference.registry import DEFAULT, Models
from service.schemas.explain import ExplainRequest, ExplainResponse, TraceRequest, TraceResponse
from service.settings import ServiceSettings

if TYPE_CHECKING:
    from sentiment.classifier import AnyModel, Classifier

MEDIA_TYPES = ["application/json"]


def blueprint(settings: ServiceSettings, models: Models) -> Blueprint:
    """Return the routes, which share one thread apart from predictions."""
    routes = Blueprint("explain", __name__)
    queue = ExplainQueue()

    @routes.post("/v1/explain", endpoint="explain")
    @routes.post("/v1/models/<name>/explain", endpoint="explain_with")
    @Operation(ExplainResponse, request=ExplainRequest, scope=Scope.PREDICT)
    def explain(name: str = DEFAULT) -> Response:
        """Explain which words decided each text's prediction, by the model of this name or `default`."""
        model = models.get(name).classifier  # read once: whatever replaces it meanwhile
        wanted = body.read_json(body.current_request(), ExplainRequest, MEDIA_TYPES, settings.max_body_bytes)
        postprocessing.check_count(wanted.texts, settings.max_texts_per_explanation, "/texts")

        def compute() -> Any:
            classifier = _check(model, wanted.texts, "/texts", settings.max_tokens_per_explanation)
            return classifier.explain(wanted.texts)

        explanations = answer(compute, wanted.texts, "/texts/{}".format)
        return JSONResponse({"model": version_of(model), "explanations": explanations})

    @routes.post("/v1/trace", endpoint="trace")
    @routes.post("/v1/models/<name>/trace", endpoint="trace_with")
    @Operation(TraceResponse, request=TraceRequest, scope=Scope.PREDICT)
    def trace(name: str = DEFAULT) -> Response:
        """Trace what the LSTM computed at every token of one text, by the model of this name or `default`."""
        model = models.get(name).classifier
        wanted = body.read_json(body.current_request(), TraceRequest, MEDIA_TYPES, settings.max_body_bytes)

        def compute() -> Any:
            classifier = _check(model, [wanted.text], "/text", settings.max_tokens_per_trace)
            return classifier.trace(wanted.text).as_dict()

        return JSONResponse({"model": version_of(model), "trace": answer(compute, [wanted.text], lambda _: "/text")})

    def answer(compute: Callable[[], Any], texts: Sequence[str], pointer: postprocessing.Pointer) -> Any:
        """Run `compute` in the queue and return its result. Raises Problem."""
        postprocessing.check(texts, pointer, settings)
        try:
            return queue.run(compute, len(texts), deadline.current())
        except TextError as error:
            raise problems.invalid_field(pointer(error.index), error.reason) from None
        except ConfigError as error:  # the model is of a kind that can't be looked into so
            raise problems.invalid_field(pointer(0), str(error)) from None

    return routes


def _check(model: AnyModel, texts: Sequence[str], pointer: str, limit: int) -> Classifier:
    """Return the model if it is one of labels. Raises Problem for more tokens than the limit, else ConfigError."""
    count = sum(len(text.token_ids) for text in model.encode(texts))
    if count > limit:
        raise problems.invalid_field(pointer, f"has {count} tokens; the limit of what is looked into is {limit}")
    if model.task == "regression":
        raise ConfigError(f"can't be looked into: that {problems.NO_LABELS}")
    return model
