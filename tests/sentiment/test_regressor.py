import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import sentiment
from sentiment import bundle as bundles
from sentiment.batching import PaddedBatch
from sentiment.bundle import Bundle
from sentiment.classifier import Classifier, Regressor, ValuePrediction, load
from sentiment.errors import BundleError, ConfigError
from tests.conftest import message_of

TEXTS = ["a great film", "the film was not good!", "it is okay and it is very very boring", "zyzzyva"]


@pytest.fixture(scope="module")
def regressor(value_bundle: Path) -> Regressor:
    return sentiment.load(value_bundle, task="regression")


def test_the_value_is_what_the_network_gives(regressor: Regressor) -> None:
    [found] = regressor.predict(["a great zyzzyva"])
    [encoded] = regressor.encode(["a great zyzzyva"])
    value = float(regressor.model(PaddedBatch.of([encoded.token_ids])))
    assert found == ValuePrediction(pytest.approx(value, abs=1e-6), tokens=3, unknown_tokens=1, truncated=False)
    assert len({each.value for each in regressor.predict(TEXTS)}) == len(TEXTS)


def test_it_shows_what_it_is(regressor: Regressor) -> None:
    facts = f"name={regressor.name!r}, version={regressor.version!r}, num_parameters={regressor.num_parameters}"
    assert repr(regressor) == f"<Regressor {facts}>"


def test_alone_and_in_any_batch(regressor: Regressor) -> None:
    together = regressor.predict(TEXTS)
    alone = [regressor.predict([text])[0] for text in TEXTS]
    assert [each.value for each in alone] == pytest.approx([each.value for each in together], abs=1e-5)


@pytest.mark.usefixtures("bfloat16")
def test_bfloat16_is_a_copy(value_bundle: Path) -> None:
    half = load(value_bundle, dtype="bfloat16", task="regression")
    assert half.model.classifier.weight.dtype == torch.bfloat16
    assert half.predict(TEXTS)[0].value == pytest.approx(load(value_bundle, task=None).predict(TEXTS)[0].value, abs=0.1)
    with pytest.raises(ConfigError, match="dtype: one of float32, bfloat16, not 'int8'"):
        load(value_bundle, dtype="int8", task="regression")


def test_each_door_refuses_the_other_kind(tiny_bundle: Path, value_bundle: Path) -> None:
    assert message_of(ConfigError, lambda: load(value_bundle)) == (
        "the model 'value' answers with a number (its task is regression), and labels are needed here; predict, "
        'score, evaluate, info and serve take it, and so does load(folder, task="regression")'
    )
    said = message_of(ConfigError, lambda: load(tiny_bundle, task="regression"))
    assert said == "the model 'tiny' answers with labels, and one of numbers (regression) is needed"
    with pytest.raises(ConfigError, match="the model 'value' answers with a number"):
        Classifier(bundles.load(value_bundle))
    assert (load(tiny_bundle, task=None).task, load(value_bundle, task=None).task) == ("classification", "regression")


def test_the_folder_says_its_task_unless_it_is_classification(tiny_bundle: Path, value_bundle: Path) -> None:
    assert json.loads((value_bundle / bundles.CONFIG).read_text())["task"] == "regression"
    assert list(json.loads((tiny_bundle / bundles.CONFIG).read_text())) == ["text", "model", "temperature"]
    assert json.loads((value_bundle / bundles.LABELS).read_text()) == []


def saved(bundle: Bundle, folder: Path, **changes: Any) -> Path:
    bundles.save(replace(bundle, **changes), folder)
    return folder


def test_a_folder_of_numbers_has_no_labels(make_bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    folder = saved(make_bundle(task="regression"), tmp_path / "model", labels=("a", "b"))
    with pytest.raises(BundleError, match=r"labels.json: .* \['a', 'b'\]"):
        load(folder, task=None)


def test_golden_values_are_held_to_a_share_of_the_largest(value_bundle: Path, tmp_path: Path) -> None:
    bundle = bundles.load(value_bundle)
    largest = max(abs(entry["value"]) for entry in bundle.golden)
    for change, sound in ((0.5e-4, True), (2e-4, False), (float("inf"), False)):
        golden = [dict(entry) for entry in bundle.golden]
        golden[1]["value"] += change * largest if change < 1 else 1e308
        folder = saved(bundle, tmp_path / str(change), golden=tuple(golden))
        if sound:
            load(folder, task=None)
        else:
            with pytest.raises(BundleError, match="'The film was not good!' is answered .* away from the recorded"):
                load(folder, task=None)


def test_golden_entries_without_a_value_are_refused(value_bundle: Path, tmp_path: Path) -> None:
    folder = saved(bundles.load(value_bundle), tmp_path / "model", golden=({"text": "good", "label": "positive"},))
    with pytest.raises(BundleError, match="golden.json: KeyError: 'value'"):
        load(folder, task=None)
    shutil.rmtree(folder)
