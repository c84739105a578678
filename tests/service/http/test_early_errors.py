"""The answers to what never reaches the app; over a socket: test_http.py."""

import json
from types import SimpleNamespace

import pytest
from prometheus_client import REGISTRY

from service.http import early_errors
from service.http.problems import MALFORMED_REQUEST, OVERLOADED, REQUEST_TIMEOUT, RETRY, Problem, ProblemType
from service.http.responses import SECURITY


def read(path: str, *headers: tuple[str, str]) -> SimpleNamespace:
    """Return what gunicorn's parser has read of a request."""
    return SimpleNamespace(path=path, headers=headers)


def parts(response: bytes) -> tuple[dict[str, str], dict[str, object]]:
    head, _, body = response.partition(b"\r\n\r\n")
    return dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:]), json.loads(body)


@pytest.mark.parametrize("kind", [MALFORMED_REQUEST, REQUEST_TIMEOUT, OVERLOADED])
def test_a_refusal_is_headed_counted_and_logged(kind: ProblemType, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    requests = ("sentiment_requests_total", {"method": "other", "route": "none", "status": str(kind.status)})
    shed = ("sentiment_shed_total", {"reason": kind.name})
    before = [REGISTRY.get_sample_value(*figure) or 0.0 for figure in (requests, shed)]
    request = read("/zyzzyva", ("X-REQUEST-ID", "r1"))
    headers, problem = parts(early_errors.response(Problem(kind, "It is so.", headers=RETRY), request))
    assert (SECURITY | {"X-Request-ID": "r1", "Retry-After": "1", "Connection": "close"}).items() <= headers.items()
    assert problem == {
        "type": kind.uri,
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
    _, problem = parts(early_errors.response(Problem(OVERLOADED, "Full."), read(path)))
    assert problem.get("error") == ("Full." if has_error else None)
