"""The head of a response, against what gunicorn itself writes."""

import time
from types import SimpleNamespace

import pytest
from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.http import wsgi  # type: ignore[import-untyped]

from service.response import Response

NOW = 1_800_000_000.25


def head(kind: type, version: tuple[int, int], headers: dict[str, str], closes: bool) -> bytes:
    sent: list[bytes] = []
    request = SimpleNamespace(version=version, method="GET", should_close=lambda: closes)
    config = SimpleNamespace(protocol="http")
    response = kind(request, SimpleNamespace(sendall=sent.append), config)
    response.start_response("200 OK", list(headers.items()))
    response.send_headers()
    return b"".join(sent)


@pytest.mark.parametrize("version", [(1, 1), (1, 0)])
@pytest.mark.parametrize("headers", [{"Content-Length": "2", "X-Request-ID": "a"}, {"Content-Type": "text/plain"}])
@pytest.mark.parametrize("closes", [False, True])
def test_it_says_what_gunicorn_does(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, int], headers: dict[str, str], closes: bool
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW)
    ours, theirs = (head(kind, version, headers, closes).split(b"\r\n") for kind in (Response, wsgi.Response))
    assert ours[0] == theirs[0]
    assert sorted(ours) == sorted(theirs)
    assert f"Date: {util.http_date(NOW)}".encode() in ours


def test_the_date_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    heads = []
    for second in (0.0, 0.5, 1.0):
        monkeypatch.setattr(time, "time", lambda second=second: NOW + second)
        heads.append(head(Response, (1, 1), {"Content-Length": "2"}, closes=False))
    assert heads[0] == heads[1]
    assert b"08:00:00 GMT" in heads[1]
    assert b"08:00:01 GMT" in heads[2]
