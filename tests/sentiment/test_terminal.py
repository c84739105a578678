"""Print within 80 columns on a terminal, and plain lines in a pipe."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sentiment.terminal import data, screen
from sentiment.terminal.screen import console, silence
from sentiment.terminal.training import print_trained, training_progress
from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.data.report import DataReport, build_report
from sentiment.training.loop import Progress
from tests.conftest import MakeBundle

BLIND = "Every row of dev.csv is answered 'bad': the model does not distinguish the labels."
GRADES = ("very negative", "negative", "neutral", "positive", "very positive")


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


def test_silence_ends_with_what_it_was_for() -> None:
    with console.capture() as captured:
        with silence(True), pytest.raises(ZeroDivisionError):
            console.print("unheard")
            with silence(False):
                console.print("unheard, too")
                raise ZeroDivisionError
        with silence(False):
            console.print("heard")
        console.print("and this")
    assert captured.get() == "heard\nand this\n"


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


def report(labels: tuple[str, ...] = GRADES) -> DataReport:
    rows = [label for place, label in enumerate(labels) for _ in range(place + 1)]
    texts = [f"text {row}" for row in range(len(rows))]
    train = LabelledTexts("sst_train_phrases_with_grades.parquet", texts, rows, skipped=2)
    return build_report(labels, [train], [LabelledTexts("split of it", texts[:3], rows[:3])], 1_234)


def printed(monkeypatch: pytest.MonkeyPatch, to: Console, shown: DataReport, language: str = "en") -> list[str]:
    monkeypatch.setattr(screen, "console", to)
    data.print_data(shown, language)
    assert isinstance(to.file, io.StringIO)
    return to.file.getvalue().splitlines()


def test_five_classes_fit_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=80)
    lines = printed(monkeypatch, wide, report())
    assert max(map(len, lines)) <= 80
    assert "│ very negative │ 1          │ 6.7%  │ 1        │ 33.3% │" in lines
    assert lines[-2:] == [
        "2 rows without text were left out.",
        "1,234 training rows were left out: their text is in a dev set, too.",
    ]


def test_a_pipe_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, Console(file=io.StringIO(), width=1000), report())
    assert all(line.isascii() for line in lines)
    assert [line.split() for line in lines if line.startswith("very positive")] == [
        ["very", "positive", "5", "33.3%", "0", "0.0%"]
    ]
    assert "sst_train_phrases_with_grades.parquet  train  15" in lines[1]


def test_many_labels_are_shown_by_rows_and_the_rest_together(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = report(tuple(f"label {place:02}" for place in range(30)))
    lines = printed(monkeypatch, Console(file=io.StringIO(), width=1000), shown)
    starts = [line.split("  ")[0] for line in lines]
    assert starts[starts.index("label") + 1] == "label 29"
    assert "label 09" not in starts
    assert [line.split() for line in lines if line.startswith("10 others")] == [
        ["10", "others", "55", "11.8%", "3", "100.0%"]
    ]


def test_labels_that_look_alike_are_named_with_their_rows_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, Console(file=io.StringIO(), width=1000), report(("bad", "good", "Good ")))
    [line] = [line for line in lines if line.startswith("Labels differ")]
    assert "'good' (4 rows) and 'Good ' (3 rows)" in line
    lines = printed(monkeypatch, Console(file=io.StringIO(), width=1000), report())
    assert not any(line.startswith("Labels differ") for line in lines)


def test_a_language_that_the_letters_contradict_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = LabelledTexts("zh.csv", ["房间很干净 OK", "太吵了"], ["好", "差"])
    shown = build_report(("好", "差"), [rows], [rows], 0)
    for language, named in (("en", True), ("zh", False)):
        lines = printed(monkeypatch, Console(file=io.StringIO(), width=1000), shown, language)
        assert [("zh" in line) for line in lines if "--language" in line] == [True] * named


def test_numbers_have_their_range(monkeypatch: pytest.MonkeyPatch) -> None:
    part = LabelledTexts("a.csv", ["x", "y"], ["1", "2"], values=[1.0, 2.0])
    lines = printed(monkeypatch, Console(file=io.StringIO(), width=1000), build_report((), [part], [part], 0))
    assert [line.split() for line in lines[-3:]] == [
        ["data", "role", "smallest", "mean", "largest"],
        ["a.csv", "train", "1", "1.5", "2"],
        ["a.csv", "dev", "1", "1.5", "2"],
    ]
