"""The answers that the hand-written worker makes itself; over a socket: test_http.py."""

import json

import pytest
from prometheus_client import REGISTRY

from service import refusals
from service.headers import SECURITY
from service.problems import MALFORMED_REQUEST, OVERLOADED, REQUEST_TIMEOUT, RETRY, Kind, Problem


def parts(response: bytes) -> tuple[dict[str, str], dict[str, object]]:
    head, _, body = response.partition(b"\r\n\r\n")
    return dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:]), json.loads(body)


@pytest.mark.parametrize("kind", [MALFORMED_REQUEST, REQUEST_TIMEOUT, OVERLOADED])
def test_a_refusal_is_headed_counted_and_logged(kind: Kind, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    refusals._log.cache_clear()  # it holds the stderr of another test
    requests = ("sentiment_requests_total", {"method": "other", "route": "none", "status": str(kind.status)})
    shed = ("sentiment_shed_total", {"reason": kind.name})
    before = [REGISTRY.get_sample_value(*figure) or 0.0 for figure in (requests, shed)]
    head = b"POST /zyzzyva HTTP/1.1\r\nX-Request-ID: r1\r\n\r\nzyzzyva"
    headers, problem = parts(refusals.response(Problem(kind, "It is so.", headers=RETRY), head, keep_alive=True))
    refusals._log.cache_clear()
    assert (
        SECURITY | {"X-Request-ID": "r1", "Retry-After": "1", "Connection": "keep-alive"}
    ).items() <= headers.items()
    assert problem == {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": "It is so.",
        "instance": "r1",
        "errors": [],
    }
    counted = [REGISTRY.get_sample_value(*figure) or 0.0 for figure in (requests, shed)]
    assert counted == [before[0] + 1, before[1] + (kind is OVERLOADED)]
    entry = json.loads(capfdbinary.readouterr().err)
    assert entry.pop("time")
    assert entry == {
        "event": "request refused",
        "level": "info",
        "request_id": "r1",
        "status": kind.status,
        "problem": kind.name,
    }


@pytest.mark.parametrize(("path", "has_error"), [("/v2/models/m/infer", True), ("/v1/predict", False), ("/v20", False)])
def test_the_inference_protocols_paths_have_its_error(path: str, has_error: bool) -> None:
    _, problem = parts(refusals.response(Problem(OVERLOADED, "Full."), f"POST {path} HTTP/1.1\r\n".encode(), False))
    assert problem.get("error") == ("Full." if has_error else None)
