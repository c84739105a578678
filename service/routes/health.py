"""The routes that say whether requests should come here."""

from flask import Blueprint, Response

from service.http import problems
from service.http.openapi import operation
from service.http.responses import JSONResponse
from service.inference.lifecycle import Lifecycle
from service.inference.registry import Models
from service.schemas.models import Live, Ready


def blueprint(models: Models, lifecycle: Lifecycle) -> Blueprint:
    """Return the routes of the health of this worker."""
    api = Blueprint("health", __name__)

    @api.get("/health/live")
    @operation(Live)
    def live() -> Response:
        """Whether the process answers."""
        return JSONResponse(Live())

    @api.get("/health/ready")
    @operation(Ready, problems=[problems.NOT_READY])
    def ready() -> Response:
        """Whether the model is loaded, verified and warm, and this worker answers."""
        problems.refuse_unless_ready(lifecycle.not_ready())
        return JSONResponse(Ready(model=models.get().version))

    return api
