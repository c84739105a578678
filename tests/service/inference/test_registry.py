import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from sentiment import bundle as bundles
from sentiment.classifier import Classifier
from sentiment.errors import ConfigError
from service.app import create_app
from service.inference import registry
from service.schemas.models import ModelCard, ModelList
from service.settings import ServiceSettings
from tests.conftest import MakeBundle
from tests.service.conftest import counted


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path, make_bundle: MakeBundle) -> Path:
    folder = tmp_path_factory.mktemp("several")
    shutil.copytree(tiny_bundle, folder / "default")
    bundles.save(make_bundle(seed=1, max_tokens=8), folder / "short")
    (folder / ".short.writing").mkdir()
    (folder / "README.md").write_text("not a model")
    return folder


@pytest.fixture(scope="module")
def zoo(several: Path) -> FlaskClient:
    return create_app(ServiceSettings(models=several)).test_client()


def test_all_models_are_listed(zoo: FlaskClient) -> None:
    listed = ModelList.model_validate(zoo.get("/v1/models").get_json()).models
    assert [(card.name, card.language, card.max_tokens) for card in listed] == [
        ("default", "en", 4096), ("short", "en", 8)
    ]  # fmt: skip
    assert listed[0].labels == ["negative", "neutral", "positive"]
    assert ModelCard.model_validate(zoo.get("/v1/models/short").get_json()) == listed[1]


def test_each_answers_under_its_name(zoo: FlaskClient) -> None:
    versions = {card["name"]: card["model"]["version"] for card in zoo.get("/v1/models").get_json()["models"]}
    assert len(set(versions.values())) == 2
    for path, name in (
        ("/v1/predict", "default"), ("/v1/models/default/predict", "default"), ("/v1/models/short/predict", "short")
    ):  # fmt: skip
        assert zoo.post(path, json={"text": "good"}).get_json()["model"]["version"] == versions[name]
    assert zoo.get("/v2/models/short").get_json()["versions"] == [versions["short"]]


def test_strict_refuses_what_would_be_truncated(zoo: FlaskClient) -> None:
    path, long = "/v1/models/short/predict", "good " * 9
    assert zoo.post(path, json={"text": long}).get_json()["predictions"][0]["truncated"] is True
    response = zoo.post(path, json={"texts": ["good", long, long], "strict": True})
    assert response.status_code == 422
    detail = "is too long to be read in full: the limit is 8 tokens"
    assert response.get_json()["errors"] == [
        {"pointer": "/texts/1", "detail": detail}, {"pointer": "/texts/2", "detail": detail}
    ]  # fmt: skip
    assert zoo.post(path, json={"text": "good", "strict": True}).status_code == 200
    assert zoo.post(path, json={"text": long, "strict": True}).get_json()["errors"][0]["pointer"] == "/text"


@pytest.mark.parametrize("options", [{"abstain": 0.05}, {"strict": True}, {"strict": True, "sentences": True}, {}])
def test_what_is_refused_is_not_counted_as_answered(zoo: FlaskClient, options: dict[str, object]) -> None:
    def figures() -> list[float]:
        names = ("texts_total", "tokens_total", "confidence_total", "texts_truncated_total")
        return [counted(name, model="short") for name in names]

    before, content = figures(), {"text": "good " * 9} | options
    status = zoo.post("/v1/models/short/predict", json=content).status_code
    zoo.post("/v1/models/short/predict", data=json.dumps(content), content_type="application/x-ndjson").get_data()
    inputs = [{"name": "text", "datatype": "BYTES", "shape": [1], "data": [content["text"]]}]
    zoo.post("/v2/models/short/infer", json={"inputs": inputs, "parameters": options})
    if options:
        assert (status, figures()) == (422, before)
    else:
        texts, tokens, confidence, truncated = (now - then for now, then in zip(figures(), before, strict=True))
        assert (status, texts, tokens, truncated) == (200, 3, 24, 3)
        assert 1 < confidence < 3


def test_threshold_makes_a_label_uncertain_and_nothing_else(zoo: FlaskClient) -> None:
    (plain,) = zoo.post("/v1/predict", json={"text": "good"}).get_json()["predictions"]
    top = max(plain["probabilities"].values())
    for threshold, label in ((0, plain["label"]), (top, plain["label"]), (top + 1e-9, "uncertain"), (1, "uncertain")):
        (found,) = zoo.post("/v1/predict", json={"text": "good", "threshold": threshold}).get_json()["predictions"]
        assert found == plain | {"label": label}


@pytest.mark.parametrize(("threshold", "status"), [(-0.1, 422), (1.1, 422), ("1", 422), (True, 422), (None, 422)])
def test_a_threshold_is_a_probability(zoo: FlaskClient, threshold: object, status: int) -> None:
    assert zoo.post("/v1/predict", json={"text": "good", "threshold": threshold}).status_code == status


def test_a_promise_that_the_model_can_back_makes_labels_uncertain(tmp_path: Path, make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    texts = ["good", "bad film", "it is okay", "not very good , and boring"]
    tops = sorted(max(each.probabilities.values()) for each in Classifier(bundle).predict(texts))
    levels = [{"threshold": tops[2], "answered": 99, "wrong": 0, "bound": 0.04}]
    table = {"rows": 199, "levels": [*levels, {"threshold": 0, "answered": 199, "wrong": 50, "bound": 0.3}]}
    bundles.save(replace(bundle, metrics={"abstention": {"dev": table}}), tmp_path / "model")
    client = create_app(ServiceSettings(model=tmp_path / "model")).test_client()
    body = {"texts": texts, "abstain": 0.05}
    answered = client.post("/v1/predict", json=body).get_json()["predictions"]
    assert [each["label"] == "uncertain" for each in answered].count(True) == 2
    stricter = client.post("/v1/predict", json=body | {"threshold": 1}).get_json()["predictions"]
    assert {each["label"] for each in stricter} == {"uncertain"}
    easier = client.post("/v1/predict", json=body | {"abstain": 0.3}).get_json()["predictions"]
    assert "uncertain" not in {each["label"] for each in easier}
    refused = client.post("/v1/predict", json=body | {"abstain": 0.01})
    [fault] = refused.get_json()["errors"]
    assert (refused.status_code, fault["pointer"]) == (422, "/abstain")
    assert fault["detail"].startswith(
        "can't be kept: the 199 rows of dev support no promise under 0.040, and 0.01 is asked for"
    )


def test_a_model_without_a_table_promises_nothing(zoo: FlaskClient) -> None:
    refused = zoo.post("/v1/predict", json={"text": "good", "abstain": 0.05})
    assert refused.status_code == 422
    assert "the model 'tiny' has no table of its errors on dev data" in refused.get_json()["errors"][0]["detail"]
    inputs = [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["good"]}]
    refused = zoo.post("/v2/models/short/infer", json={"inputs": inputs, "parameters": {"abstain": 0.05}})
    assert "has no table" in refused.get_data(as_text=True)
    lines = zoo.post("/v1/predict", data=b'{"text": "good", "abstain": 0.05}\n', content_type="application/x-ndjson")
    assert lines.get_json(force=True)["errors"][0]["pointer"] == "/abstain"
    for abstain, detail in (
        (-0.1, "must be at least 0, not -0.1"), (1, "must be less than 1, not 1"),
        ("0.05", "must be a number, not a string"), (True, "must be a number, not a boolean"),
        (None, "must be a number, not null"),
    ):  # fmt: skip
        refused = zoo.post("/v1/predict", json={"text": "good", "abstain": abstain})
        assert (refused.status_code, refused.get_json()["detail"]) == (422, f"/abstain {detail}.")


def test_a_folder_without_a_default_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SENTIMENT_MODELS: must be a folder of model folders"):
        registry.model_folders(Path("m"), tmp_path / "none")
    with pytest.raises(ConfigError, match=r"SENTIMENT_MODELS: needs a folder 'default', not only \[\]"):
        registry.model_folders(Path("m"), tmp_path)
    (tmp_path / "a b").mkdir()
    with pytest.raises(ConfigError, match="not 'a b'"):
        registry.model_folders(Path("m"), tmp_path)
