"""Unlabelled sentences for a teacher to label: `python -m recipes.transfer DATA OUT.parquet`.

Most of what distillation gives comes from such a set (Tang et al. 2019; Mukherjee and Awadallah 2019). Four kinds:
sentences of IMDb's unlabelled reviews, as people write; the treebank's longer phrases; variants of its training
sentences in its own words, where one word is swapped for another that follows the same word, or two halves are put
together anew; and the sentences in which a review and its counterfactual edit differ. They are shuffled, and as many
are kept as a teacher labels in good time.
"""

import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import polars as pl

SEED = 5
ROWS = 221_184
REVIEW_SENTENCES = 70_000
SWAPPED = 6  # variants of each treebank sentence
JOINED = 4
MIN_WORDS, MAX_WORDS = 5, 40
SWAP_SHARE = 0.15  # of a sentence's words

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?:<br\s*/?>\s*)+")


def review_sentences(reviews: list[str], rng: random.Random) -> list[str]:
    """So many distinct sentences, from as many reviews as can be."""
    found: list[str] = []
    for review in reviews:
        sentences = sentences_of(review)
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


def sentences_of(review: str) -> list[str]:
    """Its sentences that are neither too short nor too long to tell something."""
    return [part for part in _SENTENCE_END.split(review) if MIN_WORDS <= len(part.split()) <= MAX_WORDS]


def edited_sentences(reviews: list[str]) -> list[str]:
    """The sentences that stand in one review alone: of reviews and their edits, those that differ."""
    found = Counter(sentence for review in reviews for sentence in set(sentences_of(review)))
    return [sentence for sentence, times in found.items() if times == 1]


def main(data: Path, out: Path) -> None:
    """Writes the table, without a text that stands in a dev set."""
    rng = random.Random(SEED)

    def texts_of(name: str) -> list[str]:
        return pl.read_parquet(data / f"{name}.parquet")["text"].to_list()

    texts = review_sentences(texts_of("imdb_unlabelled"), rng)
    texts += variants(texts_of("sst_train"), rng)
    texts += (text for text in texts_of("sst_train_phrases") if len(text.split()) >= MIN_WORDS)
    rest = edited_sentences(texts_of("counterfactual_train"))
    judged = set(texts_of("sst_dev"))
    rng.shuffle(texts)
    kept = [text for text in dict.fromkeys([*rest, *texts]) if text not in judged][:ROWS]
    rng.shuffle(kept)
    table = pl.DataFrame({"text": kept})
    out.parent.mkdir(parents=True, exist_ok=True)
    table.write_parquet(out)
    print(f"{out.stem}: {table.height:,} rows")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m recipes.transfer DATA OUT.parquet")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
