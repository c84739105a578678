"""The figures, for Prometheus."""

import os

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess

from service.http.openapi import Scope, operation
from service.telemetry.metrics_files import FOLDER


def blueprint() -> Blueprint:
    """Return the route that a Prometheus reads."""
    routes = Blueprint("metrics", __name__)

    @routes.get("/metrics")
    @operation("text/plain", scope=Scope.METRICS)
    def metrics() -> Response:
        """The figures of all workers, in Prometheus' text format."""
        registry = REGISTRY
        if FOLDER in os.environ:
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return routes
