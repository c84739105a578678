"""Explanations and traces over HTTP equal the library's, keep their limits, and block no predictions."""

import dataclasses
import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from sentiment import bundle as bundles
from sentiment.classifier import Classifier, load
from service.app import create_app
from service.schemas.explain import ExplainResponse, TraceResponse
from service.settings import ServiceSettings
from tests.conftest import MakeBundle
from tests.service.conftest import WAIT_SECONDS, Server, wait_for

TEXT = "A great film, is&nbsp;n't it? 😀 Zyzzyva!"


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def close(value: Any) -> Any:
    """The same, its numbers compared as floats are."""
    if isinstance(value, dict):
        return {name: close(each) for name, each in value.items()}
    if isinstance(value, list):
        return [close(each) for each in value]
    return pytest.approx(value, abs=1e-5) if isinstance(value, float) else value


@pytest.fixture
def small(tiny_bundle: Path) -> FlaskClient:
    """Return the client of an app with low limits for explanations."""
    settings = ServiceSettings(max_tokens_per_explanation=6, max_tokens_per_trace=4, max_texts_per_explanation=3)
    return create_app(settings, load(tiny_bundle)).test_client()


def test_an_explanation_is_the_librarys(server: Server, tiny_classifier: Classifier) -> None:
    texts = [TEXT, "not good at all", "bad"]
    response = server.post("/v1/explain", json={"texts": texts})
    assert response.status_code == 200
    assert response.json() == {
        "model": {"name": "tiny", "version": tiny_classifier.version},
        "explanations": [close(as_json(dataclasses.asdict(each))) for each in tiny_classifier.explain(texts)],
    }
    tokens = response.json()["explanations"][0]["tokens"]
    assert list(tokens[0]) == ["text", "start", "end", "weight", "unknown"]
    assert all(TEXT[token["start"] : token["end"]] == token["text"] for token in tokens)
    assert [token["text"] for token in tokens if token["unknown"]] == ["?", "😀", "Zyzzyva"]
    ExplainResponse.model_validate_json(response.content)


def test_a_trace_is_the_librarys(server: Server, tiny_classifier: Classifier) -> None:
    response = server.post("/v1/trace", json={"text": TEXT})
    assert response.status_code == 200
    assert response.json() == {
        "model": {"name": "tiny", "version": tiny_classifier.version},
        "trace": close(as_json(tiny_classifier.trace(TEXT).as_dict())),
    }
    TraceResponse.model_validate_json(response.content)


@pytest.mark.parametrize("path", ["explain", "trace"])
def test_a_model_by_its_name(client: FlaskClient, path: str) -> None:
    body = {"texts": ["good"]} if path == "explain" else {"text": "good"}
    assert (
        client.post(f"/v1/models/default/{path}", json=body).get_json()
        == client.post(f"/v1/{path}", json=body).get_json()
    )
    refused = client.post(f"/v1/models/nothing/{path}", json=body)
    assert (refused.status_code, refused.get_json()["type"]) == (404, "urn:sentiment:problem:unknown-model")


@pytest.mark.parametrize(
    ("path", "body", "pointer", "detail"),
    [
        ("explain", {"texts": []}, "/texts", "holds 0 texts; 1 to 3 are allowed"),
        ("explain", {"texts": ["good"] * 4}, "/texts", "holds 4 texts; 1 to 3 are allowed"),
        ("explain", {"texts": ["a b c", "d e f 4"]}, "/texts", "has 7 tokens; the limit of what is looked into is 6"),
        ("explain", {"texts": ["good", " "]}, "/texts/1", "is empty or blank"),
        ("explain", {"texts": ["good", 1]}, "/texts/1", "must be a string, not a number"),
        ("explain", {}, "/texts", "is missing"),
        ("trace", {"text": "a b 3 d e"}, "/text", "has 5 tokens; the limit of what is looked into is 4"),
        ("trace", {"text": ""}, "/text", "is empty or blank"),
        ("trace", {}, "/text", "is missing"),
        ("trace", {"text": "a" * 200_001}, "/text", "has 200001 characters; the limit is 200000"),
    ],
)
def test_what_is_refused(small: FlaskClient, path: str, body: dict[str, Any], pointer: str, detail: str) -> None:
    response = small.post(f"/v1/{path}", json=body)
    assert response.status_code == 422
    assert response.get_json()["errors"] == [{"pointer": pointer, "detail": detail}]


def test_the_librarys_own_limit_is_told_too(tiny_classifier: Classifier) -> None:
    client = create_app(ServiceSettings(max_tokens_per_trace=1000), tiny_classifier).test_client()
    response = client.post("/v1/trace", json={"text": "good " * 513})
    assert response.status_code == 422
    assert response.get_json()["detail"] == "/text has 513 tokens: a trace reads at most 512."


class Slow:
    """A classifier that explains nothing until it is let go, and says when somebody asks."""

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        self.asked, self.released = threading.Event(), threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.classifier, name)

    def explain(self, texts: list[str]) -> Any:
        self.asked.set()
        assert self.released.wait(WAIT_SECONDS)
        return self.classifier.explain(texts)


@pytest.fixture
def slow(tiny_classifier: Classifier) -> Iterator[Slow]:
    slow = Slow(tiny_classifier)
    yield slow
    slow.released.set()


def test_while_one_is_explained_others_are_answered_and_too_many_refused(slow: Slow) -> None:
    client = create_app(ServiceSettings(), slow).test_client()  # type: ignore[arg-type]
    body = {"texts": ["good"] * 16}
    with ThreadPoolExecutor(4) as callers:
        waiting = [callers.submit(client.post, "/v1/explain", json=body) for _ in range(4)]
        assert slow.asked.wait(WAIT_SECONDS)
        assert client.post("/v1/predict", json={"text": "good"}).status_code == 200
        assert client.get("/health/ready").status_code == 200
        late = client.post("/v1/trace", json={"text": "good"}, headers={"X-Request-Timeout-Seconds": "0.01"})
        assert late.status_code in (503, 504)
        refused = late
        while refused.status_code != 503:  # until the four are all there
            refused = client.post("/v1/explain", json=body, headers={"X-Request-Timeout-Seconds": "0.01"})
        assert refused.get_json()["type"] == "urn:sentiment:problem:overloaded"
        assert refused.get_json()["detail"] == "64 texts are waiting; the limit is 64."
        assert refused.headers["Retry-After"] == "1"
        slow.released.set()
        assert [call.result().status_code for call in waiting] == [200] * 4


def test_who_doesnt_wait_gets_a_504(slow: Slow) -> None:
    client = create_app(ServiceSettings(), slow).test_client()  # type: ignore[arg-type]
    late = client.post("/v1/explain", json={"texts": ["good"]}, headers={"X-Request-Timeout-Seconds": "0.01"})
    assert (late.status_code, late.get_json()["type"]) == (504, "urn:sentiment:problem:deadline-passed")


def test_a_worker_explains_and_predicts_at_once(server: Server) -> None:
    def explained() -> float:
        figures = server.get("/metrics").text
        line = r'^sentiment_requests_total\{method="POST",route="/v1/explain",status="200"\} (\S+)$'
        return sum(map(float, re.findall(line, figures, re.MULTILINE)))

    before = explained()
    texts = {"texts": ["the film was not good , it was very boring and bad ! " * 4] * 16}
    with ThreadPoolExecutor(8) as callers:
        asked = [callers.submit(server.post, "/v1/explain", json=texts) for _ in range(3)]
        for _ in range(20):
            assert server.post("/v1/predict", json={"text": "good"}).status_code == 200
        assert [call.result().status_code for call in asked] == [200] * 3
    wait_for(lambda: explained() == before + 3)  # it is counted when its answer has ended


def test_a_model_without_gates_is_named_and_still_explains(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundles.save(make_bundle(encoder="cnn"), tmp_path / "cnn")
    client = create_app(ServiceSettings(), load(tmp_path / "cnn")).test_client()
    refused = client.post("/v1/trace", json={"text": "A great film."})
    assert refused.status_code == 422
    [fault] = refused.get_json()["errors"]
    assert fault["pointer"] == "/text"
    assert fault["detail"].endswith("this model's encoder is cnn, pooling final, initial_state zero")
    assert client.post("/v1/explain", json={"texts": ["A great film."]}).status_code == 200
