import json
import shutil
from pathlib import Path
from unittest.mock import patch

import pytest

from benchmarks import serving, wrk
from benchmarks.servers import Server
from benchmarks.serving_unbatched import Unbatched
from benchmarks.wrk import Load
from sentiment.classifier import Classifier
from service import app
from service.settings import ServiceSettings
from tests.benchmarks.conftest import StubServer

TEXTS = ["a great film", "not good", "very boring !"]
needs_wrk = pytest.mark.skipif(not shutil.which("wrk"), reason="needs wrk: apt-get install wrk")


def test_the_service_without_batches_gives_the_same_answers(tiny_classifier: Classifier) -> None:
    bodies = []
    for batcher in (app.Batcher, Unbatched):
        with patch.object(app, "Batcher", batcher):
            client = app.create_app(ServiceSettings(), tiny_classifier).test_client()
        assert client.get("/health/ready").status_code == 200
        response = client.post("/v1/predict", json={"texts": TEXTS})
        assert response.status_code == 200, response.text
        assert client.post("/v1/predict", json={"texts": TEXTS, "sentences": True}).status_code == 200
        bodies.append(response.json)
    assert len(bodies[0]["predictions"]) == 3
    for ours, unbatched in zip(*(body["predictions"] for body in bodies), strict=True):
        assert ours.pop("probabilities") == pytest.approx(unbatched.pop("probabilities"), abs=1e-6)
        assert ours == unbatched


def test_refusals_are_expected_of_overloads_alone() -> None:
    assert {load.clients for load in serving.loads("a review") if load.overload} == {400, 960}


@pytest.fixture
def as_server(stub_server: StubServer, few_texts: None, monkeypatch: pytest.MonkeyPatch) -> StubServer:
    """The stub as the one server that is measured, by one load."""
    server = Server("stub", ("sleep", "60"), "/v1/predict", "/health/ready")
    monkeypatch.setattr(serving, "ours", lambda: [server])
    monkeypatch.setattr(serving, "free_port", lambda: stub_server.port)
    monkeypatch.setattr(serving, "loads", lambda review: [Load("a review", 2, [review])])
    monkeypatch.setattr(wrk, "SETTLE_SECONDS", 0.0)
    return stub_server


@needs_wrk
def test_a_failing_server_ends_the_run_with_one_line(as_server: StubServer, tiny_bundle: Path) -> None:
    as_server.respond = lambda *_: (500, {"detail": "there is no room"})
    with pytest.raises(SystemExit, match=r"^a review, 2 clients: stub answered 500: .*there is no room"):
        serving.main(["--model", str(tiny_bundle), "--repeats", "1"])


@needs_wrk
def test_the_table_holds_a_line_for_each_server_and_load(
    as_server: StubServer, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    serving.main(["--model", str(tiny_bundle), "--repeats", "1", "--seconds", "1"])
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "stub" in line]
    assert line.split()[1:7] == ["a", "review", "│", "2", "│", "stub"]


@needs_wrk
@pytest.mark.slow  # two servers start, and wrk measures whole seconds
def test_every_figure_of_a_run(
    tiny_bundle: Path, few_texts: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wrk, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(serving, "loads", lambda _: [Load("a list", 2, TEXTS), Load("one", 400, TEXTS[:1], True)])
    serving.main(["--model", str(tiny_bundle), "--repeats", "1", "--seconds", "1", "--json"])
    rows = json.loads(capsys.readouterr().out)
    assert [(row["load"], row["clients"]) for row in rows] == [("a list", 2), ("one", 400)]
    servers = ("this service", "without batching")
    for row in rows:
        for name in servers:
            assert row[name]["answers"] > 0
            assert row[name]["cpu"] > 0
            assert row[name]["p50"] <= row[name]["p99"]
    assert [rows[0][name]["refused"] for name in servers] == [0, 0]
