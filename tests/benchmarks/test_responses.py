from typing import Any

import pytest

from benchmarks.responses import SHOWN_CHARACTERS, UnexpectedResponse, probe
from tests.benchmarks.conftest import PREDICTION, StubServer

TEXTS = ["a good film", "a bad film"]


@pytest.mark.parametrize("body", [{"predictions": [PREDICTION] * 2}, [PREDICTION] * 2], ids=["ours", "a peer's"])
def test_a_prediction_of_each_text_is_let_pass(stub_server: StubServer, body: Any) -> None:
    stub_server.respond = lambda *_: (200, body)
    probe("this service", stub_server.url, TEXTS)
    assert stub_server.asked == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"title": "The service failed"}),
        (503, {"predictions": [PREDICTION] * 2}),
        (200, {"predictions": [PREDICTION]}),
        (200, {"predictions": [PREDICTION, {"label": "positive"}]}),
        (200, {"predictions": [PREDICTION, None]}),
        (200, {"predictions": None}),
        (200, "null"),
        (200, "<html>\n<p>It works!</p>\n</html>"),
    ],
)
def test_anything_else_is_an_error_that_holds_it(stub_server: StubServer, status: int, body: Any) -> None:
    stub_server.respond = lambda *_: (status, body)
    with pytest.raises(UnexpectedResponse) as raised:
        probe("this service", stub_server.url, TEXTS)
    error = raised.value
    assert (error.server, error.status) == ("this service", status)
    assert "".join(str(error).split()).startswith(f"thisserviceanswered{status}:{''.join(error.body.split())[:50]}")
    assert "\n" not in str(error)


def test_a_long_body_is_kept_and_not_shown_to_its_end() -> None:
    error = UnexpectedResponse("a peer", 502, "x" * 2 * SHOWN_CHARACTERS)
    assert len(error.body) == 2 * SHOWN_CHARACTERS
    assert len(str(error)) < SHOWN_CHARACTERS + 100
