import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from recipes import teacher as recipe
from recipes.prepare import LABELS
from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.distillation.teacher import Teacher

TEXTS = ["the film was great", "the plot was dull", "the cast was 1"]
TRUTH = ["positive", "negative", "neutral"]
BOTH = [0, 1]  # the rows of a set without neutral


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()

    def write(name: str, rows: list[int], *, ending: str) -> None:
        columns: dict[str, Any] = {"text": [TEXTS[row] + ending for row in rows], "label": [TRUTH[row] for row in rows]}
        if name in recipe.SOFT:
            columns |= {label: [float(TRUTH[row] == label) for row in rows] for label in LABELS}
        pl.DataFrame(columns).write_parquet(folder / f"{name}.parquet")

    for place, name in enumerate(recipe.ROWS):
        write(name, [0, 1, 2], ending=f" {place}")
    for name in recipe.DEV:
        write(name, [0, 1, 2] if name in ("sst_dev", "tweets_dev") else BOTH, ending=" fine 0")
    return folder


def test_it_is_taught_judged_and_noted_once(
    data: Path, tmp_path: Path, save_encoder: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTIMENT_TEST_DTYPE", "float32")
    encoder, folder = save_encoder(tmp_path / "encoder"), tmp_path / "taught"
    recipe.main(data, encoder, folder)
    note = json.loads((folder / recipe.NOTE).read_text())
    assert note["seed"] == recipe.SEED
    assert note["rows_taught"] == recipe.ROWS
    assert note["teaching"]["epochs"] == 1
    assert set(note["figures"]) == set(recipe.DEV)
    assert note["figures"]["sst_dev"]["rows"] == 3
    assert note["figures"]["imdb_dev"]["rows"] == 2
    assert all(0 <= each["macro_recall"] <= 1 for each in note["figures"].values())
    assert Teacher.load(folder).labels == LABELS

    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    recipe.main(data, encoder, folder)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before

    films = folder.with_name("films")
    recipe.main(data, folder, films)
    taught_again = json.loads((films / recipe.NOTE).read_text())
    assert taught_again["taught_before"] == note
    assert taught_again["rows_taught"] == recipe.FILM_ROWS


def test_it_learns_no_text_of_a_dev_set_and_so_many_rows_of_a_table(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(recipe.ROWS, "tweets_train", 1)
    dev = [LabelledTexts("dev", [f"{TEXTS[0]} 6"], ["positive"])]
    parts = dict(zip(recipe.ROWS, recipe.training_rows(data, dev, recipe.ROWS, recipe.SEED), strict=True))
    assert list(recipe.ROWS)[6] == "tweets_train"
    assert parts["tweets_train"].texts in ([f"{TEXTS[1]} 6"], [f"{TEXTS[2]} 6"])
    assert [len(part.texts) for part in parts.values()] == [1 if name == "tweets_train" else 3 for name in parts]
    assert [part.probabilities is not None for part in parts.values()] == [name in recipe.SOFT for name in parts]


def test_short_phrases_of_the_treebank_are_left_out() -> None:
    texts = ["a fine cast", "the cast of it was fine", "dull", "the plot of it was dull"]
    labels = ["positive", "positive", "negative", "negative"]
    soft = [{"negative": 0.1, "neutral": 0.1, "positive": 0.8}, *({} for _ in texts[1:])]
    found = recipe.sampled(LabelledTexts("sst_train_phrases.parquet", texts, labels, probabilities=soft), 4)
    assert sorted(found.texts) == [texts[1], texts[3]]
    assert [labels[texts.index(text)] for text in found.texts] == found.labels
    assert found.probabilities == [{}, {}]
    tweets = LabelledTexts("tweets_train.parquet", texts, labels)
    draws = [recipe.sampled(tweets, 3, seed).texts for seed in range(9)]
    assert {len(draw) for draw in draws} == {3}
    assert len({frozenset(draw) for draw in draws}) > 1
