import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recipes import labels
from recipes.ngrams import NgramReader, main

REVIEWS = [f"the film was {word} {number}" for number in range(20) for word in ("not good", "good indeed")]
POSITIVE = np.array([review.split()[3] != "not" for review in REVIEWS])


def test_pairs_of_words_tell_what_words_alone_do_not() -> None:
    logits = NgramReader(REVIEWS, POSITIVE).logits(["It was not good", "It was good indeed"])
    assert logits[0] < 0 < logits[1]


def test_reviews_are_labelled_by_both_readers(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels, "KEPT", tmp_path / "kept")
    truth = ["positive" if positive else "negative" for positive in POSITIVE]
    for name in ("imdb_train", "imdb_dev"):
        pl.DataFrame({"text": REVIEWS, "label": truth}).write_parquet(tmp_path / f"{name}.parquet")
    texts = ["It was good indeed", "It was not good"]
    pl.DataFrame({"text": texts}).write_parquet(tmp_path / "imdb_unlabelled.parquet")
    main(tmp_path, tiny_bundle)
    known = labels.kept()
    good, bad = (known[labels.key_of(text)] for text in texts)  # (C,) each
    assert good[1] == bad[1] == 0
    assert good[2] > bad[2]
    assert good.sum() == pytest.approx(1, abs=1e-3)
    [note] = (json.loads(file.read_text()) for file in (tmp_path / "kept").glob("reviews-ngrams-and-tiny-*.json"))
    assert note["rows"] == 2
    assert note["figures"]["imdb_dev"]["rows"] == len(REVIEWS)
