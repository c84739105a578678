"""A JSON answer."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from flask import Response
from werkzeug.datastructures import Headers

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class JSONResponse(Response):
    """The content as orjson writes it, the library's frozen dataclasses too: tests hold them against the schema."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        super().__init__(orjson.dumps(content), content_type="application/json")

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        """Its headers. Werkzeug would look for a location to complete and a length to find out, in a copy of them."""
        return self.headers
