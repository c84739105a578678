import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sentiment import bundle as bundles
from sentiment.classifier import Classifier
from sentiment.evaluation.answers import Answers, answer
from sentiment.evaluation.report import Report, report
from tests.conftest import WORDS, build_bundle
from tests.sentiment.conftest import run

TEXTS = [" ".join(np.random.default_rng(seed).choice(WORDS, size=1 + seed % 30)) for seed in range(120)]
LABELS = [("negative", "neutral", "positive")[place % 3] for place in range(120)]
TEMPERATURE = 2.0
TABLE = {"rows": 9, "levels": [{"threshold": 0.4, "answered": 9, "wrong": 0, "bound": 0.06}]}


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    bundle = build_bundle()
    return Classifier(replace(bundle, temperature=TEMPERATURE, metrics={"abstention": {"dev": TABLE}}))


@pytest.fixture(scope="module")
def answers(classifier: Classifier) -> Answers:
    return answer(classifier, TEXTS, LABELS)


@pytest.fixture(scope="module")
def found(classifier: Classifier, answers: Answers) -> Report:
    return report(classifier, answers, "data.csv", {"source": ["web", "shop"] * 60})


def test_intervals_are_around_the_figures_that_evaluate_gives(found: Report) -> None:
    for name in ("accuracy", "macro_f1", "macro_recall", "ece"):
        estimate = found.intervals[name]
        assert estimate.value == pytest.approx(found.figures[name])
        assert estimate.low < estimate.high
    assert found.intervals["accuracy"].low < found.figures["accuracy"] < found.intervals["accuracy"].high


def test_before_is_what_a_temperature_of_1_gives(found: Report) -> None:
    plain = Classifier(replace(build_bundle(), temperature=1.0))
    before = report(plain, answer(plain, TEXTS, LABELS), "data.csv")
    assert before.intervals["ece"].value == pytest.approx(found.intervals["ece_before"].value)
    assert before.log_loss == pytest.approx(found.log_loss_before)
    assert [each.rows for each in before.reliability] == [each.rows for each in found.reliability_before]
    assert found.intervals["ece"].value != found.intervals["ece_before"].value


def test_curves_and_coverage_end_with_everything(found: Report) -> None:
    assert found.curves.keys() == {"negative", "neutral", "positive"}
    curve = found.curves["negative"]
    assert (curve.recall[0], curve.recall[-1]) == (1.0, 0.0)
    assert curve.precision[0] == pytest.approx(40 / 120)
    assert [each.threshold for each in found.coverage] == sorted((e.threshold for e in found.coverage), reverse=True)
    assert found.coverage[-1].answered == 1.0
    assert found.coverage[-1].accuracy.value == pytest.approx(found.figures["accuracy"])


def test_promises_of_the_models_table_are_counted_here(found: Report, answers: Answers) -> None:
    assert [each.promise for each in found.promises] == [0.1, 0.2]
    answered = answers.confidence >= 0.4
    [first, _] = found.promises
    assert first.answered == pytest.approx(answered.mean())
    assert first.wrong is not None
    assert first.wrong.value == pytest.approx(1 - answers.correct[answered].mean())


def test_the_worst_errors_are_the_surest(found: Report) -> None:
    sure = [error.probability for error in found.errors]
    assert len(sure) == 20
    assert sure == sorted(sure, reverse=True)
    for error in found.errors:
        assert (error.text, error.label) == (TEXTS[error.row - 1], LABELS[error.row - 1])
        assert error.predicted == error.explanation.prediction.label != error.label


def test_a_model_whose_confidences_are_true_still_misses_a_little(classifier: Classifier) -> None:
    few = report(classifier, answer(classifier, TEXTS[:30], LABELS[:30]), "few").honest_ece
    many = report(classifier, answer(classifier, TEXTS * 20, LABELS * 20), "many").honest_ece
    assert 0 < many.value < few.value / 3


def test_every_answer_right_has_no_errors(classifier: Classifier) -> None:
    labels = [each.label for each in classifier.predict(TEXTS)]
    right = report(classifier, answer(classifier, TEXTS, labels), "data.csv")
    assert (right.figures["accuracy"], right.errors) == (1.0, ())


def test_the_command_writes_a_page_and_its_figures(tmp_path: Path) -> None:
    bundles.save(build_bundle(), tmp_path / "model")
    data = tmp_path / "data.csv"
    lines = (f'"{text}",{label},{place % 2}\n' for place, (text, label) in enumerate(zip(TEXTS, LABELS, strict=True)))
    data.write_text("text,label,shop\n" + "".join(lines))
    arguments = ("evaluate", "--model", tmp_path / "model", "--data", data, "--slice", "shop")
    done = run(*arguments, "--report", tmp_path / "report")
    assert done.exit_code == 0, done.output
    assert f"Written: {tmp_path}/report/index.html" in done.stdout
    figures = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert (figures["rows"], figures["data"]) == (120, "data.csv")
    assert figures["intervals"]["accuracy"]["value"] == figures["accuracy"]
    assert [group["name"] for group in figures["slices"]["shop"]] == ["0", "1"]
    assert figures["errors"][0].keys() == {"row", "label", "predicted", "probability"}
    assert run(*arguments).exception.args == ("--slice is for the page: give --report DIR, too",)
    assert "is a file; name a folder" in str(run(*arguments, "--report", data).exception)
