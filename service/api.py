"""The routes: a request checked, the model asked, the answer written."""

from flask import Blueprint, Request, Response, stream_with_context
from pydantic import ValidationError

from sentiment.errors import TextError
from service import body, ndjson, problems, texts
from service.current import current_request
from service.json_response import JSONResponse
from service.lifecycle import Lifecycle
from service.models import Model, Models
from service.openapi import Form, Scope, operation
from service.problems import UNKNOWN_MODEL
from service.settings import ServiceSettings
from service.shapes.models import Live, ModelCard, ModelList, Ready
from service.shapes.prediction import LineRequest, PredictRequest, PredictResponse
from service.shapes.problems import Fault

_LINES = Form(
    ndjson.MEDIA_TYPE,
    answer="A line for each line of the request, in order: the answer to it alone, or its problem.",
    request="A LineRequest a line, of texts that are at hand: a request that is too slow to arrive is refused (408).",
    shape=LineRequest,
)


def blueprint(settings: ServiceSettings, models: Models, lifecycle: Lifecycle) -> Blueprint:
    """The API over these models."""
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

    @api.get("/v1/models")
    @operation(ModelList, scope=Scope.PREDICT)
    def list_models() -> Response:
        """All models of this service."""
        return JSONResponse({"models": [model.card.model_dump() for model in models]})

    @api.get("/v1/models/<name>")
    @operation(ModelCard, scope=Scope.PREDICT, problems=[UNKNOWN_MODEL])
    def describe_model(name: str) -> Response:
        """The model of this name."""
        return JSONResponse(models.get(name).card.model_dump())

    @api.get("/health/live")
    @operation(Live)
    def live() -> Response:
        """Whether the process answers."""
        return JSONResponse(Live().model_dump())

    @api.get("/health/ready")
    @operation(Ready, problems=[problems.NOT_READY])
    def ready() -> Response:
        """Whether the model is loaded, verified and warm, and this worker answers."""
        problems.refuse_unless_ready(lifecycle.not_ready())
        return JSONResponse(Ready(model=models.get().inference.model).model_dump())

    return api


def _predict(settings: ServiceSettings, model: Model) -> Response:
    request = current_request()
    if request.mimetype == ndjson.MEDIA_TYPE:
        return _predict_lines(request, settings, model)
    wanted = _read_request(request, settings)
    try:
        answer = model.ask(wanted.all_texts, sentences=wanted.sentences)
    except TextError as error:
        raise problems.invalid_text(error, wanted.pointer(error.index)) from None
    finish = texts.finish_views if wanted.sentences else texts.finish
    predictions = finish(
        answer.found, wanted.pointer, strict=wanted.strict, threshold=texts.threshold(wanted, answer, "/abstain")
    )
    model.count(answer.found)
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
        raise problems.invalid_shape(error, PredictRequest) from None
    count, limit = len(wanted.all_texts), settings.max_texts_per_request
    if not 1 <= count <= limit:
        raise problems.invalid_request(
            [Fault(pointer="/texts", detail=f"holds {count} texts; 1 to {limit} are allowed")]
        )
    texts.check(wanted.all_texts, wanted.pointer, settings)
    return wanted
