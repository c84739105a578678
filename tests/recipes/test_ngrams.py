from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recipes.ngrams import NgramReader, main

REVIEWS = [f"the film was {word} {number}" for number in range(20) for word in ("not good", "good indeed")]
POSITIVE = np.array([review.split()[3] != "not" for review in REVIEWS])


def test_pairs_of_words_tell_what_words_alone_do_not() -> None:
    logits = NgramReader(REVIEWS, POSITIVE).logits(["It was not good", "It was good indeed"])
    assert logits[0] < 0 < logits[1]


def test_reviews_are_labelled_by_both_readers(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = ["positive" if positive else "negative" for positive in POSITIVE]
    for name in ("imdb_train", "imdb_dev"):
        pl.DataFrame({"text": REVIEWS, "label": labels}).write_parquet(tmp_path / f"{name}.parquet")
    pl.DataFrame({"text": ["It was good indeed", "It was not good"]}).write_parquet(
        tmp_path / "imdb_unlabelled.parquet"
    )
    main(tmp_path, tiny_bundle, tmp_path / "out.parquet")
    table = pl.read_parquet(tmp_path / "out.parquet")
    assert table.columns == ["text", "negative", "neutral", "positive"]
    assert table["neutral"].to_list() == [0.0, 0.0]
    assert table["positive"][0] > table["positive"][1]
    assert (table["negative"] + table["positive"]).to_list() == pytest.approx([1.0, 1.0])
    assert "imdb_dev: " in capsys.readouterr().out
