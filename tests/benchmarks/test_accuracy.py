from pathlib import Path

import polars as pl
import pytest

from benchmarks import accuracy, scoring_peers


@pytest.mark.parametrize(
    ("scores", "labels", "share"),
    [
        ([0.6, -0.1, 0.01, -0.01], ["positive", "negative", "positive", "positive"], 0.75),
        ([0.0, 0.0], ["positive", "negative"], 0.5),  # no opinion, and no neutral text to be right about
        ([0.04, 0.05, -0.04, -0.05], ["neutral", "positive", "neutral", "negative"], 1.0),
        ([0.04, 0.5], ["positive", "neutral"], 0.0),
    ],
)
def test_a_score_is_right_by_its_side(scores: list[float], labels: list[str], share: float) -> None:
    assert accuracy.share_right(scores, labels) == share


def praise(model: Path, threads: int) -> scoring_peers.Answer:
    return lambda texts: ["0.5" if "good" in text else "0.0" for text in texts]


def missing(model: Path, threads: int) -> scoring_peers.Answer:
    raise ModuleNotFoundError("No module named 'textblob'", name="textblob")


def lay_out(data: Path, out: Path) -> None:
    """Return a folder as `prepare` fills it: three tweets, two texts of each of the others."""
    table = pl.DataFrame({"text": ["A good film.", "An awful film."], "label": ["positive", "negative"]})
    for name in accuracy.SETS.values():
        table.write_parquet(out / f"{name}.parquet")
    tweets = pl.DataFrame({"text": ["Good.", "good", "The film."], "label": ["negative", "positive", "neutral"]})
    tweets.write_parquet(out / "tweets_dev.parquet")


def test_a_row_a_set_and_a_column_a_tool(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(accuracy, "prepare", lay_out)
    monkeypatch.setitem(scoring_peers.PEERS, "vader", praise)
    monkeypatch.setitem(scoring_peers.PEERS, "textblob", missing)
    accuracy.main(["--data", str(tmp_path), "--model", str(tiny_bundle)])
    left_out, header, _, *rows = capsys.readouterr().out.splitlines()
    assert left_out == "TextBlob is left out: there is no textblob here (make bench-peers)"
    assert header.startswith("| dev data | rows | tiny ")
    assert header.endswith(" | VADER |")
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == list(accuracy.SETS)
    assert rows[0].endswith(" | 75.0% |")
    assert rows[4].split(" | ")[1] == "3"
    assert rows[4].endswith(" | 66.7% |")
