"""Unlabelled sentences for a teacher to label: `python -m recipes.transfer DATA OUT.parquet`.

Most of what distillation gives comes from such a set (Tang et al. 2019; Mukherjee and Awadallah 2019). Two kinds:
sentences of IMDb's unlabelled reviews, as people write, and variants of the treebank's training sentences in its own
words, where one word is swapped for another that follows the same word, or two halves are put together anew.
"""

import random
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import polars as pl

SEED = 5
REVIEW_SENTENCES = 60_000
SWAPPED = 4  # variants of each treebank sentence
JOINED = 3
MIN_WORDS, MAX_WORDS = 5, 40
SWAP_SHARE = 0.15  # of a sentence's words

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?:<br\s*/?>\s*)+")


def review_sentences(reviews: list[str], rng: random.Random) -> list[str]:
    """So many distinct sentences, from as many reviews as can be."""
    found: list[str] = []
    for review in reviews:
        sentences = [part for part in _SENTENCE_END.split(review) if MIN_WORDS <= len(part.split()) <= MAX_WORDS]
        found += rng.sample(sentences, min(2, len(sentences)))
    distinct = list(dict.fromkeys(found))
    return rng.sample(distinct, min(REVIEW_SENTENCES, len(distinct)))


def variants(sentences: list[str], rng: random.Random) -> Iterator[str]:
    """Swapped and joined variants of tokenised sentences."""
    words = [sentence.split() for sentence in sentences]
    followers: defaultdict[str, list[str]] = defaultdict(list)
    for row in words:
        for word, follower in pairwise(row):
            followers[word].append(follower)
    for row in words:
        for _ in range(SWAPPED):
            swapped = [
                rng.choice(followers[before]) if before and rng.random() < SWAP_SHARE else word
                for before, word in zip(["", *row], row, strict=False)
            ]
            yield " ".join(swapped)
        for _ in range(JOINED):
            other = rng.choice(words)
            yield " ".join(row[: _cut(row, rng)] + other[_cut(other, rng) :])


def _cut(row: list[str], rng: random.Random) -> int:
    """A place to cut: after a comma or before a joining word where there is one, else near the middle."""
    joints = [
        place
        for place in range(2, len(row) - 1)
        if row[place - 1] in (",", ";", ":", "--") or row[place] in ("but", "and")
    ]
    return rng.choice(joints) if joints else len(row) // 2


def main(data: Path, out: Path) -> None:
    """Writes the table, without a text that stands in a dev set."""
    rng = random.Random(SEED)
    texts = review_sentences(pl.read_parquet(data / "imdb_unlabelled.parquet")["text"].to_list(), rng)
    texts += variants(pl.read_parquet(data / "sst_train.parquet")["text"].to_list(), rng)
    judged = set(pl.read_parquet(data / "sst_dev.parquet")["text"])
    table = pl.DataFrame({"text": [text for text in dict.fromkeys(texts) if text not in judged]})
    out.parent.mkdir(parents=True, exist_ok=True)
    table.write_parquet(out)
    print(f"{out.stem}: {table.height:,} rows")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m recipes.transfer DATA OUT.parquet")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
