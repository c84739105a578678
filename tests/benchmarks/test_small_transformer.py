import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

pytest.importorskip("onnxruntime", reason="no onnxruntime here: requirements-dev.txt")
pytest.importorskip("transformers", reason="no transformers here: requirements-dev.txt")

from benchmarks import small_transformer
from recipes.prepare import LABELS
from sentiment.training.data.dataset import LabelledTexts

TEXTS = ["the film was great", "the plot was dull", "the cast was 1"]
TRUTH = ["positive", "negative", "neutral"]
GRADED = ("sst_train_phrases", "sst_train", "valence_train")  # by people, as shares of each label
LABELLED = (
    "imdb_train", "counterfactual_train", "reviews_train", "templates", "everyday", "grammar", "tweets_train",
    "forum_train", "products_train",
)  # fmt: skip


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Three rows of each table that is read, and two of a dev set without neutral."""
    folder = tmp_path / "tables"
    folder.mkdir()

    def write(name: str, rows: int, ending: str) -> None:
        columns: dict[str, Any] = {"text": [f"{text} {ending}" for text in TEXTS[:rows]], "label": TRUTH[:rows]}
        if name in GRADED:
            columns |= {label: [float(label == true) for true in columns["label"]] for label in LABELS}
        pl.DataFrame(columns).write_parquet(folder / f"{name}.parquet")

    for place, name in enumerate((*GRADED, *LABELLED)):
        write(name, 3, ending=f"{place}")
    for name in small_transformer.SETS:
        write(name, 3 if name in ("tweets_dev", "forum_dev", "sst_dev") else 2, ending="fine")
    (tmp_path / "everyday_dev.tsv").write_text("text\tallowed\ngreat\tpositive\nwas\tnegative|neutral|positive\n")
    return folder


@pytest.mark.usefixtures("few_texts")
def test_it_is_taught_once_and_measured_beside_ours(
    tables: Path,
    tiny_bundle: Path,
    save_encoder: Callable[[Path], Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SENTIMENT_TEST_DTYPE", "float32")
    monkeypatch.setattr("benchmarks.workloads.REVIEWS", 3)
    monkeypatch.setattr(small_transformer, "THREADS", (1,))  # torch's are the whole process's
    peer = tables.with_name("peer")
    arguments = ["--data", tables.parent, "--tables", tables, "--model", tiny_bundle, "--peer", peer, "--repeats", 1]
    encoder = save_encoder(tables.with_name("encoder"))
    small_transformer.main([*map(str, arguments), "--encoder", str(encoder), "--json"])
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1].endswith(" 0 min left")
    found = json.loads(captured.out)
    assert found["setting"]["rows_taught"] == 3 * len((*GRADED, *LABELLED))
    names = [name.split()[0] for name in found["models"]]
    assert names == ["all-MiniLM-L6-v2,", "all-MiniLM-L6-v2,", "tiny"]
    for figures in found["models"].values():
        accuracy = figures["accuracy"]
        assert set(accuracy) > {*small_transformer.SETS, "everyday_dev", "tweets_dev, macro-recall"}
        six = [accuracy[name] for name in small_transformer.MEAN_OF]
        assert accuracy["mean of six"] == pytest.approx(sum(six) / 6)
        assert list(figures["speed"]) == ["sentences/s, 1 thread", "reviews/s, 1 thread"]
        assert min(*figures["speed"].values(), *figures["size"].values()) > 0
    float32, int8, _ = (figures["size"] for figures in found["models"].values())
    assert float32["parameters"] == int8["parameters"]

    before = {path: path.stat().st_mtime_ns for path in peer.iterdir()}
    small_transformer.main([*map(str, arguments), "--encoder", "none"])
    assert {path: path.stat().st_mtime_ns for path in peer.iterdir()} == before
    assert "mean of six" in capsys.readouterr().out


def test_it_learns_what_people_labelled_of_the_default_recipe(tables: Path) -> None:
    dev = [LabelledTexts("dev", [f"{TEXTS[0]} 3"], ["positive"])]  # as the first of imdb_train
    parts = {part.name.removesuffix(".parquet"): part for part in small_transformer.training_rows(tables, dev)}
    assert set(parts) == {*GRADED, *LABELLED}
    assert {name for name, part in parts.items() if part.probabilities is not None} == set(GRADED)
    assert [name for name, part in parts.items() if len(part.texts) == 2] == ["imdb_train"]


def test_the_graph_answers_as_the_encoder_does(save_encoder: Callable[[Path], Path], tmp_path: Path) -> None:
    teacher = small_transformer.Teacher.start(str(save_encoder(tmp_path / "encoder")), LABELS).eval()
    graphs = small_transformer.export(teacher, tmp_path)
    texts = ["great", *TEXTS, " ".join(TEXTS)]
    found = small_transformer.Peer(teacher, graphs["float32"], 1).predict(texts)
    for text, prediction in zip(texts, found, strict=True):
        row = teacher.encode([text])
        expected = teacher(small_transformer.PaddedBatch.of(row)).softmax(dim=-1)[0].tolist()
        assert list(prediction.probabilities.values()) == pytest.approx(expected, abs=1e-5)
        assert prediction.tokens == len(row[0])
        assert not prediction.truncated
    assert len(small_transformer.Peer(teacher, graphs["int8"], 1).predict(texts)) == len(texts)
