"""A web server of files on this machine that breaks off on request."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class WebFiles:
    """The server's files, and the requests it got: path and Range of each, in order.

    `breaks` says, for each of the first requests, after how many bytes of its answer the connection is cut.
    """

    def __init__(self, files: dict[str, bytes], breaks: list[int], *, ranges: bool) -> None:
        self.files, self.breaks, self.ranges = files, breaks, ranges
        self.url = ""
        self.asked: list[tuple[str, str | None]] = []


@contextmanager
def web_files(files: dict[str, bytes], breaks: list[int] | None = None, *, ranges: bool = True) -> Iterator[WebFiles]:
    """A server on a port of its own, until the block ends."""
    web = WebFiles(files, breaks or [], ranges=ranges)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers["Range"]
            web.asked.append((self.path, asked))
            content = web.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and web.ranges else 0  # type: ignore[index]
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start:][: web.breaks.pop(0) if web.breaks else None])
            self.close_connection = True

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        web.url = f"http://127.0.0.1:{server.server_port}"
        yield web
        server.shutdown()
