"""What the people who run the service ask of it while it runs: its health, its figures, new models."""

import os

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess

from service.http import problems
from service.http.openapi import Operation, Scope
from service.http.problems import MODEL_REFUSED, RELOAD_RUNNING
from service.http.responses import JSONResponse
from service.inference.lifecycle import Lifecycle
from service.inference.registry import Models
from service.inference.reload import Reloader
from service.schemas.models import Live, Ready, Reloaded
from service.telemetry.metrics import FOLDER


def blueprint(models: Models, lifecycle: Lifecycle, reloader: Reloader) -> Blueprint:
    """Return the routes about this worker and its models."""
    routes = Blueprint("admin", __name__)

    @routes.get("/health/live")
    @Operation(Live)
    def live() -> Response:
        """Whether the process answers."""
        return JSONResponse(Live())

    @routes.get("/health/ready")
    @Operation(Ready, problems=[problems.NOT_READY])
    def ready() -> Response:
        """Whether the model is loaded, verified and warm, and this worker answers."""
        lifecycle.check_ready()
        return JSONResponse(Ready(model=models.get().version))

    @routes.get("/metrics")
    @Operation("text/plain", scope=Scope.METRICS)
    def metrics() -> Response:
        """The figures of all workers, in Prometheus' text format."""
        registry = REGISTRY
        if FOLDER in os.environ:
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    @routes.post("/admin/reload")
    @Operation(Reloaded, scope=Scope.ADMIN, problems=[RELOAD_RUNNING, MODEL_REFUSED])
    def reload_models() -> Response:
        """The models are read anew and, if every one is sound, swapped in; all other workers are asked to follow.

        Nothing is swapped if one is refused. Each answer still is of one version, and says which.
        """
        return JSONResponse(Reloaded(models=reloader.reload()))

    return routes
