import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import sentiment
from sentiment import bundle as bundles
from sentiment.abstention import AbstentionTable, threshold_for
from sentiment.classifier import Classifier
from sentiment.cli import app
from sentiment.errors import DataError
from sentiment.evaluation.answers import answer
from sentiment.evaluation.metrics import evaluate
from sentiment.scoring.drift import build_baseline
from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.recalibration import recalibrate
from tests.conftest import LABELS, WORDS, build_bundle


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [*map(str, arguments)])


@pytest.fixture(scope="module")
def labelled(tiny_bundle: Path) -> LabelledTexts:
    """Texts labelled as often as a model half as sure of itself says."""
    classifier = sentiment.load(tiny_bundle)
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, size=rng.integers(1, 8))) for _ in range(600)]
    answers = np.log([list(each.probabilities.values()) for each in classifier.predict(texts)]) / 2
    shares = np.exp(answers) / np.exp(answers).sum(axis=1, keepdims=True)
    return LabelledTexts("dev.csv", texts, [str(rng.choice(LABELS, p=row)) for row in shares])


def test_the_temperature_and_the_biases_follow_the_data_and_nothing_else_changes(
    labelled: LabelledTexts, tmp_path: Path
) -> None:
    old = build_bundle()
    found = recalibrate(old, [labelled])
    new = found.bundle
    assert new.temperature == pytest.approx(2.0, rel=0.15)
    assert found.biases == pytest.approx(dict.fromkeys(LABELS, 0.0), abs=0.2)
    before, after = old.model.state_dict(), new.model.state_dict()
    changed = [name for name, weight in before.items() if not torch.equal(weight, after[name])]
    assert changed == ["classifier.bias"]
    added = after["classifier.bias"] - before["classifier.bias"]
    assert (added / new.temperature).tolist() == pytest.approx(list(found.biases.values()), abs=1e-4)
    assert new.metrics["dev"].keys() == {"dev.csv"}
    assert new.metrics["dev"]["dev.csv"]["rows"] == 600
    predictions = Classifier(new).predict(labelled.texts)
    assert new.metrics["reference"] == {"dev.csv": build_baseline(predictions)}
    assert f"the temperature ({new.temperature:g})" in new.card
    assert "dev.csv (600 rows)" in new.card
    bundles.save(new, tmp_path / "new")
    assert sentiment.load(tmp_path / "new").temperature == new.temperature  # whose golden answers are its own


def leaning(labelled: LabelledTexts, name: str = "dev.csv") -> LabelledTexts:
    """The same texts, half of them neutral."""
    labels = ["neutral" if row % 2 else label for row, label in enumerate(labelled.labels)]
    return LabelledTexts(name, labelled.texts, labels)


def test_a_label_that_is_more_common_than_the_model_takes_it_for_is_said_more_often(labelled: LabelledTexts) -> None:
    old, part = build_bundle(), leaning(labelled)
    found = recalibrate(old, [part])
    assert found.biases["neutral"] > 0.5
    assert found.accuracy_before == {"dev.csv": evaluate(answer(Classifier(old), part.texts, part.labels))["accuracy"]}
    now = evaluate(answer(Classifier(found.bundle), part.texts, part.labels))["accuracy"]
    assert now > found.accuracy_before["dev.csv"] + 0.1
    assert found.bundle.metrics["dev"]["dev.csv"]["accuracy"] == pytest.approx(now, abs=0.02)
    assert found.bundle.card.startswith(old.card)
    assert f"{found.biases['neutral']:+g} for neutral" in found.bundle.card


def test_what_was_fitted_before_is_taken_away_first(labelled: LabelledTexts) -> None:
    once = recalibrate(build_bundle(), [leaning(labelled)])
    twice = recalibrate(once.bundle, [leaning(labelled)])
    assert twice.biases == pytest.approx(once.biases, abs=1e-3)
    assert twice.bundle.temperature == pytest.approx(once.bundle.temperature, rel=1e-3)
    assert twice.bundle.card.count("Calibrated anew") == 1
    assert twice.accuracy_before["dev.csv"] > once.accuracy_before["dev.csv"] + 0.1
    anew = recalibrate(once.bundle, [labelled])
    assert anew.biases == pytest.approx(recalibrate(build_bundle(), [labelled]).biases, abs=1e-3)


def test_a_file_that_lacks_a_label_says_nothing_of_it(labelled: LabelledTexts) -> None:
    two = LabelledTexts("two.csv", labelled.texts, ["negative" if row % 4 else "positive" for row in range(600)])
    found = recalibrate(build_bundle(), [two])
    assert found.biases["neutral"] == 0.0
    assert found.biases["negative"] == pytest.approx(-found.biases["positive"], abs=2e-4)
    assert found.biases["negative"] > 0.2
    both = recalibrate(build_bundle(), [two, leaning(labelled)])
    assert both.biases["neutral"] > 0.2
    assert both.accuracy_before.keys() == both.bundle.metrics["dev"].keys() == {"two.csv", "dev.csv"}


def test_calibrate_for_machines(labelled: LabelledTexts, tiny_bundle: Path, tmp_path: Path) -> None:
    data, model = tmp_path / "dev.csv", tmp_path / "model"
    rows = zip(labelled.texts, labelled.labels, strict=True)
    data.write_text("text,label\n" + "".join(f'"{text}",{label}\n' for text, label in rows))
    done = run("calibrate", "--data", data, "--model", tiny_bundle, "--out", model, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    classifier = sentiment.load(model)
    assert (found["path"], found["version"], found["temperature"]) == (
        str(model), classifier.version, classifier.temperature,
    )  # fmt: skip
    assert (found["temperature_before"], found["accuracy_before"].keys()) == (1, {"dev.csv"})
    assert found["biases"] == classifier.metrics["biases"]
    assert found["dev"] == classifier.metrics["dev"]
    assert found["abstention"] == classifier.metrics["abstention"]


def test_two_files_of_one_name_and_unknown_labels_are_refused(labelled: LabelledTexts) -> None:
    with pytest.raises(DataError, match=r"two files have one name.*: dev.csv, dev.csv"):
        recalibrate(build_bundle(), [labelled, labelled])
    with pytest.raises(DataError, match="row 1 has the label 'mixed'"):
        recalibrate(build_bundle(), [LabelledTexts("a", ["good"] * 50, ["mixed"] * 50)])
    with pytest.raises(DataError, match="a: 49 rows; calibration needs 50 or more"):
        recalibrate(build_bundle(), [LabelledTexts("a", ["good"] * 49, ["positive"] * 49)])


def test_calibrate_then_abstain(labelled: LabelledTexts, tiny_bundle: Path, tmp_path: Path) -> None:
    data, model = tmp_path / "dev.csv", tmp_path / "model"
    rows = zip(labelled.texts, labelled.labels, strict=True)
    data.write_text("text,label\n" + "".join(f'"{text}",{label}\n' for text, label in rows))
    refused = run("predict", "--model", tiny_bundle, "--abstain", 0.3, "good")
    assert "has no table of its errors" in str(refused.exception)

    done = run("calibrate", "--data", data, "--model", tiny_bundle, "--out", model)
    assert done.exit_code == 0, done.output
    assert "temperature: 1 before, " in done.output
    assert "added to the logits after it: negative " in done.output
    classifier = sentiment.load(model)
    figures = classifier.metrics["dev"]["dev.csv"]
    [line] = [line.split() for line in done.output.splitlines() if line.startswith("dev.csv")]
    before = evaluate(answer(sentiment.load(tiny_bundle), labelled.texts, labelled.labels))["accuracy"]
    assert line[:5] == [
        "dev.csv",
        "600",
        *(f"{each:.1%}" for each in (before, figures["accuracy"], figures["macro_recall"])),
    ]
    assert classifier.version in done.output

    [table] = classifier.metrics["abstention"].values()
    promise = AbstentionTable.of(table).least
    threshold = threshold_for(promise, classifier.metrics, classifier.name)
    assert 0 < threshold < 1
    expected = [
        answer.label if max(answer.probabilities.values()) >= threshold else "uncertain"
        for answer in classifier.predict(labelled.texts[:50])
    ]
    assert len(set(expected)) > 1
    said = run("predict", "--model", model, "--abstain", promise, "--json", *labelled.texts[:50])
    assert [json.loads(line)["label"] for line in said.stdout.splitlines()] == expected

    scored = tmp_path / "scored.jsonl"
    done = run("score", "--model", model, "--abstain", promise, data, scored, "--columns", "text")
    assert done.exit_code == 0, done.output
    assert [json.loads(line)["label"] for line in scored.read_text().splitlines()[:50]] == expected


def test_two_ways_to_be_uncertain_are_one_too_many(tiny_bundle: Path) -> None:
    done = run("score", "--model", tiny_bundle, "--abstain", 0.1, "--threshold", 0.5, "a.csv", "b.csv")
    assert str(done.exception) == "--threshold and --abstain both say when to be uncertain: give one"
