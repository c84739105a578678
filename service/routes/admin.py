"""Serve health checks, metrics and reloads to those who operate the service."""

import os

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess

from service.http import problems
from service.http.openapi import Operation, Scope
from service.http.problems import MODEL_REFUSED, RELOAD_RUNNING
from service.http.responses import JSONResponse
from service.inference.lifecycle import Lifecycle
from service.inference.model import version_of
from service.inference.registry import Models
from service.inference.reload import Reloader
from service.schemas.models import Live, Ready, Reloaded
from service.telemetry.metrics import FOLDER


def blueprint(models: Models, lifecycle: Lifecycle, reloader: Reloader) -> Blueprint:
    """Return the routes for operating this worker and its models."""
    routes = Blueprint("admin", __name__)

    @routes.get("/health/live")
    @Operation(Live)
    def live() -> Response:
        """Report whether the process is alive."""
        return JSONResponse(Live())

    @routes.get("/health/ready")
    @Operation(Ready, problems=[problems.NOT_READY])
    def ready() -> Response:
        """Report whether the models are loaded, verified and warm, and this worker takes requests."""
        lifecycle.check_ready()
        return JSONResponse(Ready(model=version_of(models.get().classifier)))

    @routes.get("/metrics")
    @Operation("text/plain", scope=Scope.METRICS)
    def metrics() -> Response:
        """Return the metrics of all workers in Prometheus' text format."""
        registry = REGISTRY
        if FOLDER in os.environ:
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    @routes.post("/admin/reload")
    @Operation(Reloaded, scope=Scope.ADMIN, problems=[RELOAD_RUNNING, MODEL_REFUSED])
    def reload_models() -> Response:
        """Reload all models here and then in all other workers, if every one is valid.

        Nothing is replaced if one is refused. Each response still is of one version, which it names.
        """
        return JSONResponse(Reloaded(models=reloader.reload()))

    return routes
