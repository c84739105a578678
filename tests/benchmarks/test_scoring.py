import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import scoring, scoring_peers
from benchmarks.scoring import Contender
from sentiment.classifier import Classifier


def test_every_figure_of_a_run(tiny_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy = ("--repeats", "1", "--texts", "40", "--reviews", "3", "--dtypes", "float32")
    scoring.main([*toy, "--model", str(tiny_bundle), "--json"])
    results = json.loads(capsys.readouterr().out)
    assert [(row["workload"], row["contender"], row["processes"]) for row in results["scoring"]] == [
        (workload, "sentiment, float32", processes)
        for workload in ("short texts", "long reviews")
        for processes in (1, 2)
    ]
    assert all(row["tokens_per_second"] > row["texts_per_second"] > 0 for row in results["scoring"])
    for row in results["stages"]:
        assert sum(row[stage] for stage in ("tokenize", "model", "read_and_write")) == pytest.approx(1)
        assert min(row[stage] for stage in ("tokenize", "model", "read_and_write")) > 0


def test_speeds_are_of_the_rows_given_and_beside_the_best(tiny_classifier: Classifier) -> None:
    seconds = {
        Contender("sentiment, float32", 1): [1.0, 2.0, 9.0],
        Contender("vader", 1): [4.0],
        Contender("vader", 2, 0.5): [1.0],
        Contender("distilbert int8", 1, 0.1): [10.0],
        Contender("distilbert torch", 1, 0.1): [5.0],
    }
    rows = scoring._rows("short texts", ["a good film"] * 100, tiny_classifier, seconds)
    assert [row["texts_per_second"] for row in rows] == [50, 25, 50, 1, 2]
    assert rows[0] == {
        "workload": "short texts",
        "contender": "sentiment, float32",
        "processes": 1,
        "texts_per_second": 50,
        "tokens_per_second": 150,
        "times_distilbert": 25,
        "times_vader": 1,
    }


def test_a_peer_goes_from_file_to_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def shouting(model: Path, threads: int) -> scoring_peers.Answer:
        def answer(texts: Sequence[str]) -> list[str]:
            return [text.upper() for text in texts]

        return answer

    monkeypatch.setitem(scoring_peers.PEERS, "vader", shouting)
    (tmp_path / "in.csv").write_text("id,text\n1,good\n2,bad\n3,film\n")
    scoring_peers.main("vader", tmp_path / "in.csv", tmp_path / "out.csv", 2, 1, 3, tmp_path)
    assert len(json.loads(capsys.readouterr().out)) == 3
    with (tmp_path / "out.csv").open() as file:
        assert [row["label"] for row in csv.DictReader(file)] == ["GOOD", "BAD"]
    assert list(scoring.SHARES) == list(scoring_peers.PEERS)
