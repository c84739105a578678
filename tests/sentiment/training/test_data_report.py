import pytest

from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.data.report import build_report, repeated, words


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It's a  fine film.", 4),
        ("", 0),
        ("房间很干净", 5),
        ("房间 OK 了", 4),
        ("caf\u00e9 noir", 2),
        ("\u0e14\u0e35", 2),
    ],
)
def test_words_stand_between_spaces_or_are_characters(text: str, count: int) -> None:
    assert words(text) == count


def test_repeated_texts_are_counted_and_torn_ones_named() -> None:
    parts = [LabelledTexts("a", ["x", "y", "x"], ["1", "1", "2"]), LabelledTexts("b", ["y", "z"], ["1", "1"])]
    assert repeated(parts) == (2, ["x"])
    taught = LabelledTexts("c", ["x", "z"], ["1", "2"], probabilities=[{"1": 0.6, "2": 0.4}] * 2)
    assert repeated([*parts, taught]) == (2, ["x"])


def test_figures_hold_every_set_and_no_text() -> None:
    texts = [" ".join(["word"] * length) for length in range(1, 101)]
    train = LabelledTexts("a.csv", texts, ["x"] * 60 + ["y"] * 40, skipped=3, unreadable=2)
    dev = LabelledTexts("dev.csv", ["word"] * 2, ["x", "x"])
    report = build_report(("x", "y"), [train, LabelledTexts("b.csv", ["word"], ["y"])], [dev], 7)
    assert report.conflicting_texts == ("word",)
    figures = report.figures()
    assert figures["train"][0] == {
        "name": "a.csv",
        "rows": 100,
        "labels": {"x": 60, "y": 40},
        "values": None,
        "words_median": 50.5,
        "words_p95": pytest.approx(95.05),
        "words_most": 100,
        "without_text": 3,
        "unreadable": 2,
    }
    assert figures["dev"][0]["labels"] == {"x": 2, "y": 0}
    rest = {name: value for name, value in figures.items() if name not in ("train", "dev")}
    assert rest == {"repeated_rows": 1, "conflicting_texts": 1, "train_rows_also_in_dev_dropped": 7}


def test_labels_that_differ_only_in_case_or_spaces_are_found() -> None:
    labels = ["Good", "good", "go od", "bad", "Straße", "STRASSE"]
    rows = LabelledTexts("a", [str(row) for row in range(7)], [*labels, "good"])
    report = build_report(labels, [rows], [LabelledTexts("dev", ["7"], ["good"])], 0)
    assert report.similar_labels == [{"Good": 1, "good": 3, "go od": 1}, {"Straße": 1, "STRASSE": 1}]
    assert build_report(["good", "bad"], [LabelledTexts("a", ["x"] * 2, ["good", "bad"])], [], 0).similar_labels == []


def test_numbers_have_a_range_and_no_conflicts() -> None:
    part = LabelledTexts("a", ["x", "x", "y"], ["1", "2", "6"], values=[1.0, 2.0, 6.0])
    report = build_report((), [part], [part], 0)
    assert report.train[0].values == {"smallest": 1.0, "mean": 3.0, "largest": 6.0}
    assert (report.repeated_rows, report.conflicting_texts, report.train[0].labels) == (1, (), {})
