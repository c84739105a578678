from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sentiment.terminal import console, print_trained, training_progress
from sentiment.training.loop import Progress
from tests.conftest import MakeBundle

BLIND = "Every row of dev.csv is answered 'bad': the model does not tell the labels apart."


@pytest.mark.parametrize(
    ("seconds_left", "dev_score", "shown"),
    [
        (150.0, 0.5, "7 tokens/s, 2 min left"),
        (89.0, 0.5, "7 tokens/s, 89 s left"),
        (0.0, 0.5, "7 tokens/s, done"),
    ],
)
def test_an_epochs_line_ends_with_the_time_left_or_done(seconds_left: float, dev_score: float, shown: str) -> None:
    with console.capture() as captured, training_progress("classification") as report:
        report(Progress(2, 3, 10, 10, 0.25, 7.0, seconds_left, dev_score))
    assert captured.get() == f"epoch 2/3: loss 0.2500, dev macro-recall 50.00%, {shown}\n"


def figures(labels: list[str], confusion: list[list[int]]) -> dict[str, Any]:
    rows = sum(map(sum, confusion))
    return {"rows": rows, "labels": labels, "confusion": confusion} | dict.fromkeys(
        ("accuracy", "macro_f1", "macro_recall", "ece"), 0.5
    )


@pytest.mark.parametrize(
    ("labels", "confusion", "warned"),
    [
        (["bad", "good"], [[5, 0], [5, 0]], True),
        (["bad", "good"], [[5, 0], [4, 1]], False),
        (["bad"], [[5]], False),  # nothing to tell apart
    ],
)
def test_a_model_with_one_answer_to_everything_is_not_praised(
    make_bundle: MakeBundle, labels: list[str], confusion: list[list[int]], warned: bool
) -> None:
    bundle = replace(make_bundle(), metrics={"dev": {"dev.csv": figures(labels, confusion)}})
    with console.capture() as captured:
        print_trained(bundle, Path("models/mine"), "0123")
    assert (BLIND in captured.get()) == warned
