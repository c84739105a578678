"""Serve the page that tries the service out, and the API's document. Nothing is loaded from other hosts."""

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
    """Return the routes of the page at the root, the API's document, its page, and their static files."""
    web = Blueprint("documentation", __name__, template_folder=str(PAGES))
    files = {path.name: path.read_bytes() for path in (PAGES / "static").iterdir() if path.suffix in MEDIA_TYPES}

    @cache  # made when first asked for: by then all routes are there
    def document() -> dict[str, Any]:
        return openapi.document(current_app, settings, keys=keys)

    @web.get("/")
    @Operation("text/html")
    def page() -> Response:
        """Return a page to try the service out: predictions, words, sentences and the LSTM's states."""
        content = render_template("page.html", settings=settings, keys=keys)
        policy = {"Content-Security-Policy": PAGE_POLICY}
        return Response(content, headers=policy, content_type="text/html; charset=utf-8")

    @web.get("/static/<file>")
    @Operation("*/*", problems=[NOT_FOUND])
    def static(file: str) -> Response:
        """Return a style sheet, script or picture of the page."""
        if file not in files:
            raise Problem(NOT_FOUND, "No resource of this service has this path.")
        return Response(files[file], content_type=MEDIA_TYPES[Path(file).suffix])

    @web.get("/openapi.json")
    @Operation("application/json")
    def openapi_json() -> Response:
        """Return this document."""
        return JSONResponse(document())

    @web.get("/docs")
    @Operation("text/html")
    def docs() -> Response:
        """Return this document as a page."""
        page = render_template("docs.html", document=document())
        return Response(page, content_type="text/html; charset=utf-8")

    return web
