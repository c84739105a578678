import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmarks import wrk
from benchmarks.responses import LoadError, UnexpectedResponse
from benchmarks.servers import Server
from benchmarks.wrk import Load, Measured, measure, median
from tests.benchmarks.conftest import PREDICTION, StubServer

needs_wrk = pytest.mark.skipif(not shutil.which("wrk"), reason="needs wrk: apt-get install wrk")

SERVER = Server("stub", (), "/v1/predict", "/health/ready", "problem:overloaded")
LOAD = Load("two texts", 2, ["a good film", "a bad film"])
OVERLOAD = Load("two texts", 2, ["a good film", "a bad film"], overload=True)
REFUSAL = {"type": "urn:problem:overloaded"}
FAILURE = {"title": "The service failed", "detail": "no room\nhere"}


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrk, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(wrk, "LOAD_CORE", min(os.sched_getaffinity(0)))


def load_stub(stub: StubServer, load: Load, folder: Path) -> Measured:
    return measure(load, SERVER, stub.port, os.getpid(), 1.0, folder)


@needs_wrk
def test_answers_and_refusals_are_told_apart(stub_server: StubServer, tmp_path: Path) -> None:
    def respond(number: int, body: bytes) -> tuple[int, Any]:
        return (503, REFUSAL) if number % 3 == 0 else stub_server.predictions(number, body)

    stub_server.respond = respond
    found = load_stub(stub_server, OVERLOAD, tmp_path)
    assert found.asked > found.answers > found.asked / 3
    assert found.refused > 0
    assert found.failed == 0
    assert 0 < found.p50 <= found.p99


@needs_wrk
def test_a_first_wrong_response_ends_it_before_any_load(stub_server: StubServer, tmp_path: Path) -> None:
    stub_server.respond = lambda *_: (500, FAILURE)
    with pytest.raises(UnexpectedResponse, match="^stub answered 500: .*The service failed"):
        load_stub(stub_server, LOAD, tmp_path)
    assert stub_server.asked == 1


@needs_wrk
@pytest.mark.parametrize(
    ("load", "status", "body"),
    [
        (LOAD, 500, FAILURE),
        (LOAD, 503, REFUSAL),
        (LOAD, 200, {"predictions": [PREDICTION]}),
        (LOAD, 200, {"predictions": []}),
        (OVERLOAD, 503, {"type": "urn:problem:not-ready"}),
        (OVERLOAD, 504, REFUSAL),
    ],
)
def test_a_wrong_response_under_load_ends_it(
    stub_server: StubServer, tmp_path: Path, load: Load, status: int, body: dict[str, Any]
) -> None:
    def respond(number: int, asked: bytes) -> tuple[int, Any]:
        return stub_server.predictions(number, asked) if number < 20 else (status, body)

    stub_server.respond = respond
    with pytest.raises(UnexpectedResponse) as raised:
        load_stub(stub_server, load, tmp_path)
    assert (raised.value.server, raised.value.status) == ("stub", status)
    assert all(str(value).split("\n")[0] in raised.value.body for value in body)
    assert 20 <= stub_server.asked < 20 + 3 * load.clients, "it went on asking"


@needs_wrk
def test_refusals_alone_are_no_measurement(stub_server: StubServer, tmp_path: Path) -> None:
    stub_server.respond = lambda number, body: (503, REFUSAL) if number > 1 else stub_server.predictions(number, body)
    with pytest.raises(LoadError, match=r"^stub gave no answer in 1 s: \d+ requests refused, 0 failed$"):
        load_stub(stub_server, OVERLOAD, tmp_path)


def test_the_median_of_runs_sums_what_went_wrong() -> None:
    runs = [Measured(answers, 10.0 * answers, 1.0, 2.0, 3.0, 4, 5) for answers in (1.0, 9.0, 2.0)]
    assert median(runs) == Measured(2.0, 20.0, 1.0, 2.0, 3.0, 12, 15)
