"""A model that answers with a number, behind the same routes."""

import json
import shutil
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from sentiment.classifier import load
from service.app import create_app
from service.schemas.prediction import PredictResponse
from service.settings import ServiceSettings
from tests.service.conftest import counted

NO_LABELS = "is for models of labels; this one answers with a number"


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path, value_bundle: Path) -> FlaskClient:
    """A client of a service of two models: `default` answers with labels, `value` with a number."""
    folder = tmp_path_factory.mktemp("zoo")
    shutil.copytree(tiny_bundle, folder / "default")
    shutil.copytree(value_bundle, folder / "value")
    return create_app(ServiceSettings(models=folder)).test_client()


def faults(response: object) -> list[tuple[str, str]]:
    return [(fault["pointer"], fault["detail"]) for fault in response.get_json()["errors"]]  # type: ignore[attr-defined]


def test_the_value_is_answered(zoo: FlaskClient, value_bundle: Path) -> None:
    texts = ["a great film", "zyzzyva"]
    content = zoo.post("/v1/models/value/predict", json={"texts": texts}).get_json()
    PredictResponse.model_validate(content)
    expected = load(value_bundle, task="regression").predict(texts)
    assert [each.keys() for each in content["predictions"]] == [{"value", "tokens", "unknown_tokens", "truncated"}] * 2
    assert [each["value"] for each in content["predictions"]] == pytest.approx([e.value for e in expected], abs=1e-5)
    assert [each["unknown_tokens"] for each in content["predictions"]] == [0, 1]


def test_lines_are_answered_and_each_says_what_it_may_not_ask_for(zoo: FlaskClient) -> None:
    lines = [{"text": "good"}, {"text": "good", "threshold": 0.5}, {"text": "good", "sentences": True}]
    body = "".join(json.dumps(line) + "\n" for line in lines)
    answers = zoo.post("/v1/models/value/predict", data=body, content_type="application/x-ndjson").data.splitlines()
    first, second, third = map(json.loads, answers)
    assert "value" in first["predictions"][0]
    assert second["errors"] == [{"pointer": "/threshold", "detail": NO_LABELS}]
    assert third["errors"] == [{"pointer": "/sentences", "detail": NO_LABELS}]


@pytest.mark.parametrize(
    ("options", "pointers"),
    [
        ({"threshold": 0.5}, ["/threshold"]),
        ({"abstain": 0.1}, ["/abstain"]),
        ({"threshold": 0.5, "abstain": 0.1}, ["/abstain", "/threshold"]),
        ({"sentences": True}, ["/sentences"]),
    ],
)
def test_options_of_labels_are_refused(zoo: FlaskClient, options: dict[str, object], pointers: list[str]) -> None:
    response = zoo.post("/v1/models/value/predict", json={"text": "good", **options})
    assert response.status_code == 422
    assert faults(response) == [(pointer, NO_LABELS) for pointer in pointers]


def test_nothing_is_looked_into(zoo: FlaskClient) -> None:
    explained = zoo.post("/v1/models/value/explain", json={"texts": ["good"]})
    traced = zoo.post("/v1/models/value/trace", json={"text": "good"})
    detail = f"can't be looked into: that {NO_LABELS}"
    assert (explained.status_code, faults(explained)) == (422, [("/texts/0", detail)])
    assert (traced.status_code, faults(traced)) == (422, [("/text", detail)])


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/ready"), ("POST", "/infer")])
def test_the_open_inference_protocol_serves_models_of_labels(zoo: FlaskClient, method: str, path: str) -> None:
    response = zoo.open(f"/v2/models/value{path}", method=method, json={} if method == "POST" else None)
    assert response.status_code == 404
    assert response.get_json()["error"] == (
        "No model of labels has this name: ask one of numbers at /v1/models/NAME/predict."
    )


def test_the_card_says_its_task(zoo: FlaskClient) -> None:
    cards = {card["name"]: card for card in zoo.get("/v1/models").get_json()["models"]}
    assert (cards["value"]["task"], cards["value"]["labels"]) == ("regression", [])
    assert cards["default"]["task"] == "classification"


def test_its_texts_are_counted_without_labels(zoo: FlaskClient) -> None:
    before = counted("texts_total", model="value")
    zoo.post("/v1/models/value/predict", json={"texts": ["good", "bad"]})
    assert counted("texts_total", model="value") == before + 2
    assert counted("confidence_total", model="value") == 0
