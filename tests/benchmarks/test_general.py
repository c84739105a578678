import random
from difflib import SequenceMatcher
from pathlib import Path

import polars as pl
import pytest

from benchmarks import general
from sentiment.classifier import Classifier

ROWS = [("a good film", "positive"), ("a bad plot", "negative"), ("the film", "neutral")]


def lay_out(data: Path, out: Path) -> None:
    """Write where `prepare` would a few rows of each set, without neutral in those that have none."""
    for name in general.SETS:
        rows = ROWS if name in ("tweets_dev", "forum_dev", "sst_dev") else ROWS[:2]
        pl.DataFrame(rows, schema=["text", "label"], orient="row").write_parquet(out / f"{name}.parquet")


def test_a_line_for_every_figure(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(general, "prepare", lay_out)
    monkeypatch.setattr(general, "MADE_UP", 3)
    (tmp_path / "everyday_dev.tsv").write_text('text\tallowed\n"good\tpositive\nmeh\tnegative|neutral|positive\n')
    general.main(["--data", str(tmp_path), "--model", str(tiny_bundle)])
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("tiny ")
    figures = dict(line.split(": ", 1) for line in lines)
    assert list(figures) == [
        *general.SETS, "everyday_dev", "mean of six", "hard cases", "behaviour suite", "one word misspelt",
        "made-up words",
    ]  # fmt: skip
    accuracies = [float(figures[name].removeprefix("accuracy ").split("%")[0]) for name in general.MEAN_OF]
    assert float(figures["mean of six"].rstrip("%")) == pytest.approx(sum(accuracies) / 6, abs=0.01)
    assert figures["tweets_dev"].endswith(" of 3 texts")
    assert figures["one word misspelt"].endswith(" of 12 texts")


def test_a_label_is_right_if_it_is_allowed(tiny_classifier: Classifier, tmp_path: Path) -> None:
    said = tiny_classifier.predict(["good"])[0].label
    others = "|".join({"negative", "neutral", "positive"} - {said})
    (tmp_path / "some.tsv").write_text(
        f"text\tallowed\ngood\t{said}\ngood\tneutral|negative|positive\ngood\t{others}\n"
    )
    assert general.share_allowed(tiny_classifier.predict, tmp_path / "some.tsv") == pytest.approx(2 / 3)


def test_one_word_of_a_text_is_misspelt() -> None:
    rng = random.Random(0)
    assert general.misspelt("a 12 bad", rng) == "a 12 bad"
    for _ in range(100):
        words = general.misspelt("a wonderful film", rng).split(" ")
        assert words[0] == "a"
        changed = [(one, two) for one, two in zip(["wonderful", "film"], words[1:], strict=True) if one != two]
        assert len(changed) <= 1, "two equal letters swapped, or a letter drawn again, leave it as it was"
        assert all(one[0] == two[0] and SequenceMatcher(None, one, two).ratio() > 0.7 for one, two in changed)


def test_made_up_words_are_the_same_each_time_and_long_enough_to_mean_nothing() -> None:
    words = [general.made_up(random.Random(seed)) for seed in range(100)]
    assert words == [general.made_up(random.Random(seed)) for seed in range(100)]
    assert all(4 <= len(word) <= 9 and word.isalpha() for word in words)
