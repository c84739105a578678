import csv
import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from benchmarks import scoring, scoring_peers
from benchmarks.scoring import Contender
from sentiment.classifier import Classifier
from sentiment.nn.precision import DTYPES
from sentiment.scoring.predict.engines import LocalEngine


def check_every_figure(tiny_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scoring.main(["--repeats", "1", "--texts", "40", "--reviews", "3", "--model", str(tiny_bundle), "--json"])
    results = json.loads(capsys.readouterr().out)
    assert [(row["workload"], row["contender"], row["processes"]) for row in results["scoring"]] == [
        (workload, f"sentiment, {dtype}", processes)
        for workload in ("short texts", "long reviews")
        for dtype in DTYPES
        for processes in (1, 2)
    ]
    assert all(row["tokens_per_second"] > row["texts_per_second"] > 0 for row in results["scoring"])
    for row in results["stages"]:
        assert sum(row[stage] for stage in ("tokenize", "model", "read_and_write")) == pytest.approx(1)
        assert min(row[stage] for stage in ("tokenize", "model", "read_and_write")) > 0


def test_every_figure_of_a_run(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scoring, "_engine", lambda _, classifier, processes: nullcontext(LocalEngine(classifier)))
    check_every_figure(tiny_bundle, capsys)


@pytest.mark.slow  # four processes load the model
def test_every_figure_of_a_run_with_several_processes(tiny_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check_every_figure(tiny_bundle, capsys)


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


def test_the_quickest_way_for_the_first_texts_answers_all(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def way(name: str, seconds: float) -> scoring_peers.Answer:
        def answer(texts: Sequence[str]) -> list[str]:
            nonlocal now
            now += seconds
            return [name for _ in texts]

        return answer

    monkeypatch.setattr("time.perf_counter", lambda: now)
    answer = scoring_peers.quickest({"slow": way("slow", 2.0), "quick": way("quick", 1.0)})
    assert answer(["good", "bad"]) == ["quick", "quick"]
    began = now
    assert answer(["good"]) == ["quick"]
    assert now - began == 1.0, "it measures once"


@pytest.mark.parametrize("name", ["spacy textcat", "distilbert int8", "distilbert torch"])
def test_the_peers_that_are_installed_here(
    name: str, tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(scoring_peers.WORDPIECES, 8)
            self.classifier = torch.nn.Linear(8, 3)

        def forward(self, token_ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            return self.classifier((self.embedding(token_ids) * mask.unsqueeze(-1)).sum(dim=1))  # (N, 3)

    monkeypatch.setattr(scoring_peers, "_distilbert", Logits)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # the exported network is kept there
    (tmp_path / "in.csv").write_text("id,text\n" + "".join(f"{row},a good film\n" for row in range(40)))
    scoring_peers.main(name, tmp_path / "in.csv", tmp_path / "out.csv", 40, 1, 2, tiny_bundle)
    assert len(json.loads(capsys.readouterr().out)) == 2
    with (tmp_path / "out.csv").open() as file:
        labels = [row["label"] for row in csv.DictReader(file)]
    assert len(labels) == 40
    assert len(set(labels)) == 1, "equal texts get equal labels"
