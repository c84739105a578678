import random
from pathlib import Path

import polars as pl
import pytest

from recipes.everyday import EVERYDAY, MADE_UP, filled, main, rating, rows, templates

LABELS = ("negative", "neutral", "positive")


def test_the_same_texts_come_each_time_with_all_three_labels(tmp_path: Path) -> None:
    main(tmp_path / "built" / "everyday.parquet")
    table = pl.read_parquet(tmp_path / "built" / "everyday.parquet")
    assert table.rows() == list(rows())
    assert (table["text"].str.strip_chars() != "").all()
    shares = {label: (table["label"] == label).mean() for label in LABELS}
    assert shares == pytest.approx(dict.fromkeys(LABELS, 1 / 3), abs=0.02)


def test_every_place_of_a_template_is_filled() -> None:
    rng = random.Random(0)
    texts = [filled(template, rng) for label in LABELS for template in templates(label)]
    assert not any(mark in text for text in texts for mark in "{}|")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("0/5", "negative"),
        ("2 stars", "negative"),
        ("1 star", "negative"),
        ("three stars", "neutral"),
        ("★★★★★", "positive"),
        ("★★☆☆☆", "negative"),
        ("4 out of 10", "negative"),
        ("6/10", "neutral"),
        ("rating: 7/10", "positive"),
        ("I give it 45/100", "negative"),
        ("70 out of 100", "positive"),
    ],
)
def test_the_points_of_a_rating_decide(text: str, label: str) -> None:
    rng = random.Random(0)
    given = {}
    for _ in range(4000):
        found, its = rating(rng)
        assert given.setdefault(found, its) == its, "one rating has one label"
    assert given[text] == label


def test_words_that_nobody_knows_hold_no_opinion_and_known_ones_beside_them_do() -> None:
    known = set(EVERYDAY["words"]["p"] + EVERYDAY["words"]["b"])
    opinions: dict[bool, list[bool]] = {False: [], True: []}
    for text, label in list(rows())[-MADE_UP:]:
        words = {word.lower().strip(":") for word in text.split()}
        opinions[label != "neutral"].append(bool(words & known))
    assert all(opinions[True])
    assert sum(opinions[False]) <= 2, "a word made up of syllables may be one that all know"
