"""The routes that say which models there are."""

from flask import Blueprint, Response

from service.http.openapi import Scope, operation
from service.http.problems import UNKNOWN_MODEL
from service.http.responses import JSONResponse
from service.inference.registry import Models
from service.schemas.models import ModelCard, ModelList


def blueprint(models: Models) -> Blueprint:
    """Return the routes about these models."""
    api = Blueprint("models", __name__)

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

    return api
