"""The routes that say which models there are."""

from flask import Blueprint, Response

from service.http.openapi import Operation, Scope
from service.http.responses import JSONResponse
from service.inference.registry import Models
from service.schemas.models import ModelCard, ModelList


def blueprint(models: Models) -> Blueprint:
    """Return the routes about these models."""
    api = Blueprint("models", __name__)

    @api.get("/v1/models")
    @Operation(ModelList, scope=Scope.PREDICT)
    def list_models() -> Response:
        """All models of this service."""
        return JSONResponse(ModelList(models=[model.card for model in models]))

    @api.get("/v1/models/<name>")
    @Operation(ModelCard, scope=Scope.PREDICT)
    def describe_model(name: str) -> Response:
        """The model of this name."""
        return JSONResponse(models.get(name).card)

    return api
