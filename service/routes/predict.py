"""Predict one text, several, or a stream of them, and list the models."""

from flask import Blueprint, Response, stream_with_context

from service.http import body
from service.http.openapi import Form, Operation, Scope
from service.http.responses import JSONResponse
from service.inference import postprocessing
from service.inference.registry import DEFAULT, Models
from service.routes import ndjson
from service.schemas.models import ModelCard, ModelList
from service.schemas.prediction import LineRequest, PredictRequest, PredictResponse
from service.settings import ServiceSettings

_LINES = Form(
    ndjson.MEDIA_TYPE,
    answer="A line for each line of the request, in order: the answer to it alone, or its problem.",
    request="A LineRequest a line, of texts that are at hand: a request that is too slow to arrive is refused (408).",
    schema=LineRequest,
)


def blueprint(settings: ServiceSettings, models: Models) -> Blueprint:
    """Return the routes of predictions and models."""
    api = Blueprint("api", __name__)

    @api.post("/v1/predict", endpoint="predict")
    @api.post("/v1/models/<name>/predict", endpoint="predict_with")
    @Operation(PredictResponse, request=PredictRequest, form=_LINES, scope=Scope.PREDICT)
    def predict(name: str = DEFAULT) -> Response:
        """Predict the sentiment of one text, several or a stream, by the model of this name or `default`."""
        request, model = body.current_request(), models.get(name)
        if request.mimetype == ndjson.MEDIA_TYPE:
            body.check_headers(request, [ndjson.MEDIA_TYPE])
            stream = request.environ["wsgi.input"]
            lines = ndjson.read_lines(stream, request.content_length, settings.max_body_bytes)
            answers = stream_with_context(ndjson.answer(lines, model, settings))
            return Response(answers, content_type=ndjson.MEDIA_TYPE)
        media_types = ["application/json", ndjson.MEDIA_TYPE]
        wanted = body.read_json(request, PredictRequest, media_types, settings.max_body_bytes)
        texts = wanted.all_texts
        postprocessing.check_count(texts, settings.max_texts_per_request, "/texts")
        answer = postprocessing.predict(model, texts, wanted, settings, wanted.pointer, sentences=wanted.sentences)
        return JSONResponse({"model": answer.model, "predictions": answer.predictions})

    @api.get("/v1/models")
    @Operation(ModelList, scope=Scope.PREDICT)
    def list_models() -> Response:
        """List all models of this service."""
        return JSONResponse(ModelList(models=[model.card for model in models]))

    @api.get("/v1/models/<name>")
    @Operation(ModelCard, scope=Scope.PREDICT)
    def describe_model(name: str) -> Response:
        """Return the card of a model."""
        return JSONResponse(models.get(name).card)

    return api
