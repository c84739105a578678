"""The pages: one to try the service on, and the document of the API. Nothing on them comes from another host."""

from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, render_template

from service.http import openapi
from service.http.openapi import Operation
from service.http.problems import NOT_FOUND, Problem
from service.http.responses import PAGE_POLICY, JSONResponse
from service.settings import ServiceSettings

PAGES = Path(__file__).parents[1] / "pages"
MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


def blueprint(settings: ServiceSettings, *, keys: bool) -> Blueprint:
    """Return the page at the root, the document, its page, and what they are made of."""
    web = Blueprint("documentation", __name__, template_folder=str(PAGES))
    files = {path.name: path.read_bytes() for path in (PAGES / "static").iterdir() if path.suffix in MEDIA_TYPES}

    @cache  # made when first asked for: by then all routes are there
    def document() -> dict[str, Any]:
        return openapi.document(current_app, settings, keys=keys)

    @web.get("/")
    @Operation("text/html")
    def page() -> Response:
        """A page to try the service on: answers, words, sentences, and what the network remembered."""
        content = render_template("page.html", settings=settings, keys=keys)
        policy = {"Content-Security-Policy": PAGE_POLICY}
        return Response(content, headers=policy, content_type="text/html; charset=utf-8")

    @web.get("/static/<file>")
    @Operation("*/*", problems=[NOT_FOUND])
    def static(file: str) -> Response:
        """What the page is made of: style, script or picture."""
        if file not in files:
            raise Problem(NOT_FOUND, "No resource of this service has this path.")
        return Response(files[file], content_type=MEDIA_TYPES[Path(file).suffix])

    @web.get("/openapi.json")
    @Operation("application/json")
    def openapi_json() -> Response:
        """This document."""
        return JSONResponse(document())

    @web.get("/docs")
    @Operation("text/html")
    def docs() -> Response:
        """This document as a page."""
        page = render_template("docs.html", document=document())
        return Response(page, content_type="text/html; charset=utf-8")

    return web
