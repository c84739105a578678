"""A response as gunicorn writes it, but for what is the same in one after the other: that is written once."""

import time
from functools import lru_cache

from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.http import wsgi  # type: ignore[import-untyped]


class Response(wsgi.Response):  # type: ignore[misc]  # gunicorn has no types
    """See the module."""

    def default_headers(self) -> list[str]:
        """The status line and the headers that no app sets."""
        major, minor = self.req.version
        connection = "close" if self.should_close() else "keep-alive"
        head = f"HTTP/{major}.{minor} {self.status}\r\nServer: {self.version}\r\nConnection: {connection}\r\n"
        chunks = ["Transfer-Encoding: chunked\r\n"] if self.chunked else []
        return [head, _date(int(time.time())), *chunks]


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return f"Date: {util.http_date(second)}\r\n"
