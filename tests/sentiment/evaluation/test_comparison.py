import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from sentiment import bundle as bundles
from sentiment.evaluation.answers import Answers
from sentiment.evaluation.comparison import compare
from tests.conftest import build_bundle
from tests.sentiment.conftest import run

TEXTS = ("good film", "bad film", "it is okay", "not good", "very boring", "great", "awful !", "the film was n't bad")
LABELS = ("positive", "neutral") * 4


def answers(true: Sequence[int], predicted: Sequence[int]) -> Answers:
    probabilities = np.where(np.arange(3) == np.array(predicted)[:, None], 0.8, 0.1)
    texts = [f"text {row}" for row in range(len(true))]
    return Answers(texts, [], ("a", "b", "c"), False, np.array(true), probabilities)


def test_each_flip_is_mended_broken_or_wrong_before_and_after() -> None:
    found = compare(answers([0, 1, 2, 0, 1], [0, 0, 2, 1, 0]), answers([0, 1, 2, 0, 1], [0, 1, 0, 2, 0]))
    assert [(flip.row, flip.outcome, flip.old_label, flip.new_label) for flip in found.flips] == [
        (2, "mended", "a", "b"),
        (3, "broken", "c", "a"),
        (4, "wrong", "b", "c"),
    ]
    assert found.flips[0].old_probabilities == {"a": 0.8, "b": 0.1, "c": 0.1}
    assert found.counts == "3 of 5 texts get another label: 1 mended, 1 broken, 1 wrong before and after."
    assert (found.old_accuracy.value, found.new_accuracy.value, found.difference.value) == (0.4, 0.4, 0.0)


@pytest.mark.parametrize(
    ("mended", "broken", "p_value", "verdict"),
    [
        (8, 0, 2 * 0.5**8, "The new model is better, by more than chance explains"),
        (0, 8, 2 * 0.5**8, "The old model is better, by more than chance explains"),
        (3, 1, 2 * 5 / 16, "The difference may be chance: two equally good models would often differ as much"),
        (0, 0, 1.0, "Both are right about the same texts: there is no difference to test."),
    ],
)
def test_mcnemar_by_hand(mended: int, broken: int, p_value: float, verdict: str) -> None:
    true = [0] * (mended + broken + 10)
    old = [1] * mended + [0] * (broken + 10)
    new = [0] * mended + [1] * broken + [0] * 10
    found = compare(answers(true, old), answers(true, new))
    assert found.p_value == pytest.approx(p_value)
    assert found.verdict.startswith(verdict)
    assert found.difference.low <= found.difference.value <= found.difference.high


@pytest.fixture(scope="module")
def models_and_data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    folder = tmp_path_factory.mktemp("compare")
    bundles.save(build_bundle(seed=0), folder / "old")
    bundles.save(build_bundle(seed=1), folder / "new")
    data = folder / "data.csv"
    data.write_text(
        "text,label\n" + "".join(f"{text},{label}\n" for text in TEXTS for label in ("positive", "neutral"))
    )
    return folder / "old", folder / "new", data


def test_the_command_lists_every_flip(models_and_data: tuple[Path, Path, Path], tmp_path: Path) -> None:
    old, new, data = models_and_data
    done = run("compare", old, new, "--data", data, "--json", "--out", tmp_path / "flips.csv")
    found = json.loads(done.stdout)
    assert found["rows"] == 2 * len(TEXTS)
    assert found["flips"]
    assert found["labels"] == ["neutral", "positive"]
    assert {flip["text"] for flip in found["flips"]} <= set(TEXTS)
    with (tmp_path / "flips.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(int(row["row"]), row["outcome"], row["text"]) for row in rows] == [
        (flip["row"], flip["outcome"], flip["text"]) for flip in found["flips"]
    ]
    assert float(rows[0]["old_probability"]) == max(found["flips"][0]["old_probabilities"].values())


def test_a_spreadsheet_runs_nothing_of_the_texts(models_and_data: tuple[Path, Path, Path], tmp_path: Path) -> None:
    old, new, _ = models_and_data
    data = tmp_path / "data.csv"
    data.write_text(
        "text,label\n" + "".join(f'"=1+1 {text}",{label}\n' for text, label in zip(TEXTS, LABELS, strict=True))
    )
    assert run("compare", old, new, "--data", data, "--out", tmp_path / "flips.csv").exit_code == 0
    with (tmp_path / "flips.csv").open(newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    assert texts
    assert all(text.startswith("'=1+1 ") for text in texts)


def test_people_read_the_verdict(models_and_data: tuple[Path, Path, Path]) -> None:
    old, _, data = models_and_data
    shown = " ".join(run("compare", old, old, "--data", data).stdout.split())
    assert f"All {2 * len(TEXTS)} texts have the same label from both models." in shown
