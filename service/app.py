"""The app, put together."""

from __future__ import annotations

import random
import re
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from flask import Flask, Request, Response, g, request
from werkzeug.routing import MapAdapter

from service import (
    admin,
    api,
    auth,
    deadline,
    headers,
    in_flight,
    inspection,
    limits,
    logs,
    master,
    metrics,
    open_inference,
    problems,
    web,
)
from service.batcher import Batcher
from service.current import environ_key
from service.inference import Inference
from service.lifecycle import Lifecycle
from service.models import DEFAULT, Models, load
from service.reload import Reloader
from service.settings import ServerSettings, ServiceSettings

if TYPE_CHECKING:
    from sentiment.classifier import AnyModel

T = TypeVar("T")
REQUEST_ID = "X-Request-ID"
_REQUEST_ID_KEY = environ_key(REQUEST_ID)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")  # safe in a log line, in a header and as a URI reference


class App(Flask):
    """The WSGI app, without what Flask does at each request for apps of other kinds."""

    def ensure_sync(self, func: T) -> T:
        """The function itself: none is a coroutine."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Of the path alone: no route depends on the host, and no URL is built."""
        return self.url_map.bind("", path_info=request.path, default_method=request.method) if request else None


def create_app(settings: ServiceSettings | None = None, classifier: AnyModel | None = None) -> Flask:
    """The WSGI app. Settings not given are read from the environment, a classifier not given is loaded here.

    Raises ConfigError for a bad setting and BundleError for a bad model. Call it after the fork: see gunicorn.conf.py.
    """
    settings = settings or ServiceSettings.read()
    keys = auth.read_keys(settings.api_keys_file) if settings.api_keys_file else []
    reload_asked = master.reload_asked()  # before the models are read: one asked for meanwhile is followed
    classifiers = {DEFAULT: classifier} if classifier else load(settings.model, settings.models)
    app = App(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # one path, one resource: nothing redirects
    metrics.register(app)
    app.before_request(_take_request_id)
    logs.register(app)
    app.after_request(_give_request_id)
    problems.register(app)
    in_flight.register(app, ServerSettings.read().threads)
    deadline.register(app, settings.request_timeout_seconds)
    auth.register(app, keys)
    limits.register(app, settings)
    headers.register(app, settings.cors_origins)
    batcher = Batcher(settings.max_batch_tokens, settings.max_waiting_texts)
    lifecycle = Lifecycle(batcher, settings.max_batch_seconds)
    lifecycle.register(app)
    inferences = {name: Inference(found, batcher) for name, found in classifiers.items()}
    reloader = Reloader(inferences, partial(load, settings.model, settings.models), reload_asked)
    reloader.register(app)
    models = Models(inferences)
    app.register_blueprint(api.blueprint(settings, models, lifecycle))
    app.register_blueprint(inspection.blueprint(settings, models))
    app.register_blueprint(open_inference.blueprint(settings, models, lifecycle))
    app.register_blueprint(admin.blueprint(reloader))
    app.register_blueprint(metrics.blueprint())
    app.register_blueprint(web.blueprint(settings, keys=bool(keys)))
    return app


def _take_request_id() -> None:
    given = request.environ.get(_REQUEST_ID_KEY, "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"


def _give_request_id(response: Response) -> Response:
    response.headers[REQUEST_ID] = g.request_id
    return response
