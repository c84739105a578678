from pathlib import Path

import polars as pl
import pytest

from recipes.transfer import MAX_WORDS, MIN_WORDS, main

TREEBANK = [
    "The film is funny , but the plot is a mess .",
    "A warm story and a fine cast make it worth the time .",
    "The plot is thin and the cast is wasted .",
]
PHRASES = ["a fine cast", "make it worth the time of a warm evening"]
PAIR = [
    "It was on in the afternoon. We were bored by the film.",
    "It was on in the afternoon. We were moved by the film.",
]


def write(folder: Path) -> None:
    reviews = [
        f"I saw film {n} on a rainy day.<br /><br />The cast of it was good! No. And so on it went." for n in range(9)
    ]
    pl.DataFrame({"text": reviews}).write_parquet(folder / "imdb_unlabelled.parquet")
    pl.DataFrame({"text": TREEBANK}).write_parquet(folder / "sst_train.parquet")
    pl.DataFrame({"text": ["The cast of it was good!"]}).write_parquet(folder / "sst_dev.parquet")
    pl.DataFrame({"text": PHRASES}).write_parquet(folder / "sst_train_phrases.parquet")
    pl.DataFrame({"text": PAIR}).write_parquet(folder / "counterfactual_train.parquet")


def test_sentences_of_reviews_and_variants_of_the_treebanks(tmp_path: Path) -> None:
    write(tmp_path)
    main(tmp_path, tmp_path / "one.parquet")
    texts = pl.read_parquet(tmp_path / "one.parquet")["text"].to_list()
    assert len(texts) == len(set(texts))
    assert "The cast of it was good!" not in texts, "it stands in the dev set"
    sentences = [text for text in texts if text.startswith(("I saw film", "And so on"))]
    assert "And so on it went." in sentences
    assert all(MIN_WORDS <= len(text.split()) <= MAX_WORDS for text in sentences)
    assert PHRASES[1] in texts
    assert PHRASES[0] not in texts, "it is too short to teach much"
    assert {"We were bored by the film.", "We were moved by the film."} <= set(texts)
    assert "It was on in the afternoon." not in texts, "the edit left it as it was"
    variants = set(texts) - {*sentences, *PHRASES, "We were bored by the film.", "We were moved by the film."}
    words = set(" ".join(TREEBANK).split())
    assert all(set(text.split()) <= words for text in variants)
    assert len(variants - set(TREEBANK)) > len(TREEBANK)


def test_no_more_than_a_teacher_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recipes.transfer.ROWS", 4)
    write(tmp_path)
    main(tmp_path, tmp_path / "one.parquet")
    texts = pl.read_parquet(tmp_path / "one.parquet")["text"].to_list()
    assert len(texts) == 4
    assert {"We were bored by the film.", "We were moved by the film."} <= set(texts), "the edits are kept first"


def test_the_same_data_give_the_same_set(tmp_path: Path) -> None:
    write(tmp_path)
    for name in ("one", "two"):
        main(tmp_path, tmp_path / f"{name}.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
