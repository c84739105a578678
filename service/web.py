"""The document of the API, for programs and as a page for people: no script, nothing from another host."""

from functools import cache
from pathlib import Path
from typing import Any

import orjson
from flask import Blueprint, Response, current_app, render_template

from service import openapi
from service.openapi import operation
from service.settings import ServiceSettings

PAGES = Path(__file__).parent / "pages"


def blueprint(settings: ServiceSettings, *, keys: bool) -> Blueprint:
    """The document, its page and the page's style sheet."""
    web = Blueprint("documentation", __name__, template_folder=str(PAGES))

    @cache  # made when first asked for: by then all routes are there
    def document() -> dict[str, Any]:
        return openapi.document(current_app, settings, keys=keys)

    @web.get("/openapi.json")
    @operation("application/json")
    def openapi_json() -> Response:
        """This document."""
        return Response(orjson.dumps(document()), content_type="application/json")

    @web.get("/docs")
    @operation("text/html")
    def docs() -> Response:
        """This document as a page."""
        page = render_template("docs.html", document=document())
        return Response(page, content_type="text/html; charset=utf-8")

    @web.get("/docs/style.css")
    @operation("text/css")
    def style() -> Response:
        """How the page looks."""
        return Response((PAGES / "docs.css").read_bytes(), content_type="text/css; charset=utf-8")

    return web
