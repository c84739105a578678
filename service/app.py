"""Create the Flask app."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flask import Flask

from service.access import api_keys, rate_limit
from service.http import problems, responses
from service.inference import deadline, registry
from service.inference.batcher import Batcher
from service.inference.lifecycle import Lifecycle
from service.inference.registry import Models
from service.inference.reload import Reloader, last_reload_request
from service.routes import admin, explain, open_inference, pages, predict
from service.settings import ServerSettings, ServiceSettings
from service.telemetry import requests

if TYPE_CHECKING:
    from sentiment.classifier import AnyModel


def create_app(settings: ServiceSettings | None = None, classifier: AnyModel | None = None) -> Flask:
    """Return the WSGI app. Settings not given are read from the environment, a classifier not given is loaded here.

    Raises ConfigError for a bad setting and BundleError for a bad model. Call it after the fork: see gunicorn.conf.py.
    """
    settings = settings or ServiceSettings.read()
    keys = api_keys.read_keys(settings.api_keys_file) if settings.api_keys_file else []
    load = partial(registry.load, settings.model, settings.models)
    request = last_reload_request()  # before the models are read: one made meanwhile is applied
    batcher = Batcher(settings.max_batch_tokens, settings.max_waiting_texts)
    served = Models({registry.DEFAULT: classifier} if classifier else load(), batcher)
    lifecycle = Lifecycle(batcher, settings.max_batch_seconds)
    reloader = Reloader(served.by_name, load, request)

    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # one path, one resource: nothing redirects
    app.extensions.update(lifecycle=lifecycle, reloader=reloader)
    problems.register(app)
    checks = (
        rate_limit.in_flight_checker(app, ServerSettings.read().threads),
        deadline.checker(settings.request_timeout_seconds),
        api_keys.checker(app, keys),
    )
    requests.register(app, checks)
    rate_limit.register(app, settings)
    responses.register(app, settings.cors_origins)
    for blueprint in (
        predict.blueprint(settings, served),
        explain.blueprint(settings, served),
        open_inference.blueprint(settings, served, lifecycle),
        admin.blueprint(served, lifecycle, reloader),
        pages.blueprint(settings, keys=bool(keys)),
    ):
        app.register_blueprint(blueprint)
    return app
