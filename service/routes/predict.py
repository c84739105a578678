"""The routes that predict: one text, several, or a stream of them."""

from flask import Blueprint, Request, Response, stream_with_context
from pydantic import ValidationError

from sentiment.errors import TextError
from service.http import body, problems
from service.http.openapi import Form, Scope, operation
from service.http.problems import UNKNOWN_MODEL
from service.http.request_helpers import current_request
from service.http.responses import JSONResponse
from service.inference import postprocessing
from service.inference.model import Model
from service.inference.registry import Models
from service.routes import ndjson
from service.schemas.prediction import LineRequest, PredictRequest, PredictResponse
from service.schemas.problems import FieldError
from service.settings import ServiceSettings

_LINES = Form(
    ndjson.MEDIA_TYPE,
    answer="A line for each line of the request, in order: the answer to it alone, or its problem.",
    request="A LineRequest a line, of texts that are at hand: a request that is too slow to arrive is refused (408).",
    schema=LineRequest,
)


def blueprint(settings: ServiceSettings, models: Models) -> Blueprint:
    """Return the routes that predict, over these models."""
    api = Blueprint("api", __name__)

    @api.post("/v1/predict")
    @operation(PredictResponse, request=PredictRequest, form=_LINES, scope=Scope.PREDICT)
    def predict() -> Response:
        """The sentiment of one text, of several, or of a stream of them, by the model named `default`."""
        return _predict(settings, models.get())

    @api.post("/v1/models/<name>/predict")
    @operation(PredictResponse, request=PredictRequest, form=_LINES, scope=Scope.PREDICT, problems=[UNKNOWN_MODEL])
    def predict_with(name: str) -> Response:
        """The sentiment of one text, of several, or of a stream of them, by the model of this name."""
        return _predict(settings, models.get(name))

    return api


def _predict(settings: ServiceSettings, model: Model) -> Response:
    request = current_request()
    if request.mimetype == ndjson.MEDIA_TYPE:
        return _predict_lines(request, settings, model)
    wanted = _read_request(request, settings)
    try:
        answer = model.predict(wanted.all_texts, sentences=wanted.sentences)
    except TextError as error:
        raise problems.invalid_text(error, wanted.pointer(error.index)) from None
    finish = postprocessing.finish_views if wanted.sentences else postprocessing.finish
    predictions = finish(
        answer.predictions,
        wanted.pointer,
        strict=wanted.strict,
        threshold=postprocessing.threshold(wanted, answer, "/abstain"),
    )
    model.record_metrics(answer.predictions)
    return JSONResponse({"model": answer.model.model_dump(), "predictions": predictions})


def _predict_lines(request: Request, settings: ServiceSettings, model: Model) -> Response:
    body.check_headers(request, [ndjson.MEDIA_TYPE])
    stream = request.environ["wsgi.input"]
    lines = ndjson.read_lines(stream, request.content_length, settings.max_body_bytes)
    answers = stream_with_context(ndjson.answer(lines, model, settings))
    return Response(answers, content_type=ndjson.MEDIA_TYPE)


def _read_request(request: Request, settings: ServiceSettings) -> PredictRequest:
    content = body.parse(body.read(request, ["application/json", ndjson.MEDIA_TYPE], settings.max_body_bytes))
    try:
        wanted = PredictRequest.model_validate(content)
    except ValidationError as error:
        raise problems.invalid_fields(error, PredictRequest) from None
    count, limit = len(wanted.all_texts), settings.max_texts_per_request
    if not 1 <= count <= limit:
        raise problems.invalid_request(
            [FieldError(pointer="/texts", detail=f"holds {count} texts; 1 to {limit} are allowed")]
        )
    postprocessing.check(wanted.all_texts, wanted.pointer, settings)
    return wanted
