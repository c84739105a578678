from pathlib import Path

import polars as pl
import pytest

from recipes.transfer import DEV, MAX_WORDS, MIN_WORDS, main

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
POSTS = ["so happy about the new bus line", "the train is late again and again", "who has the time of the match"]
PRODUCTS = [f"I bought lamp {n} for the hall. It lit the whole hall well! Fine." for n in range(9)]
DEV_TEXT = "The cast of it was good!"
NAMES = ("films", "tweets", "forum", "posts", "products")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    reviews = [f"I saw film {n} on a rainy day.<br /><br />{DEV_TEXT} No. And so on it went." for n in range(9)]
    tables = {
        "imdb_unlabelled": reviews,
        "sst_train": TREEBANK,
        "sst_train_phrases": PHRASES,
        "counterfactual_train": PAIR,
        "tweets_train": [*POSTS, DEV_TEXT],
        "forum_train": [f"Well, {post}" for post in POSTS],
        "products_unlabelled": PRODUCTS,
        **{name: [DEV_TEXT] for name in DEV},
    }
    for name, texts in tables.items():
        pl.DataFrame({"text": texts}).write_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


def texts_of(data: Path, name: str) -> list[str]:
    return pl.read_parquet(data / f"transfer_{name}.parquet")["text"].to_list()


def words_of(texts: list[str]) -> set[str]:
    return set(" ".join(texts).split())


def test_each_text_is_there_once_and_none_of_a_dev_set(data: Path) -> None:
    main(data)
    for name in NAMES:
        texts = texts_of(data, name)
        assert len(texts) == len(set(texts))
        assert DEV_TEXT not in texts


def test_sentences_of_film_reviews_and_variants_of_the_treebanks(data: Path) -> None:
    main(data)
    texts = texts_of(data, "films")
    sentences = [text for text in texts if text.startswith(("I saw film", "And so on"))]
    assert "And so on it went." in sentences
    assert all(MIN_WORDS <= len(text.split()) <= MAX_WORDS for text in sentences)
    assert PHRASES[1] in texts
    assert PHRASES[0] not in texts, "it is too short to teach much"
    assert {"We were bored by the film.", "We were moved by the film."} <= set(texts)
    assert "It was on in the afternoon." not in texts, "the edit left it as it was"
    variants = set(texts) - {*sentences, *PHRASES, "We were bored by the film.", "We were moved by the film."}
    assert words_of(list(variants)) <= words_of(TREEBANK)
    assert len(variants - set(TREEBANK)) > len(TREEBANK)


@pytest.mark.parametrize(("name", "posts"), [("tweets", POSTS), ("forum", [f"Well, {post}" for post in POSTS])])
def test_posts_and_variants_of_them(data: Path, name: str, posts: list[str]) -> None:
    main(data)
    texts = set(texts_of(data, name))
    assert set(posts) < texts
    assert words_of(list(texts)) <= words_of([*posts, DEV_TEXT])


def test_more_variants_of_posts_keep_their_words(data: Path) -> None:
    main(data)
    texts = texts_of(data, "posts")
    assert len(texts) > len(POSTS)
    assert words_of(texts) <= words_of([*POSTS, "Well,", DEV_TEXT])


def test_whole_reviews_of_products_and_sentences_of_others_as_they_are_written(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recipes.transfer.PRODUCT_REVIEWS", 2)
    main(data)
    texts = texts_of(data, "products")
    assert len(set(texts) & set(PRODUCTS)) == 2
    assert "It lit the whole hall well!" in texts
    assert "Fine." not in texts


def test_no_more_than_a_teacher_labels(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recipes.transfer.FILM_TEXTS", 4)
    main(data)
    texts = texts_of(data, "films")
    assert len(texts) == 4
    assert {"We were bored by the film.", "We were moved by the film."} <= set(texts), "the edits are kept first"


def test_the_same_data_give_the_same_tables(data: Path) -> None:
    main(data)
    first = {name: texts_of(data, name) for name in NAMES}
    main(data)
    assert {name: texts_of(data, name) for name in NAMES} == first
