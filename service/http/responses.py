"""A JSON answer."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from flask import Response
from pydantic import BaseModel
from werkzeug.datastructures import Headers

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class JSONResponse(Response):
    """The content as orjson writes it, the library's frozen dataclasses too: tests hold them against the schema."""

    def __init__(self, content: BaseModel | Mapping[str, Any]) -> None:
        super().__init__(orjson.dumps(content, default=BaseModel.model_dump), content_type="application/json")

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        """Return its headers. Werkzeug would complete a location and find out a length, in a copy of them."""
        return self.headers
