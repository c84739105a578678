"""Lay out texts for a teacher to label, a table a domain: `python -m recipes.transfer DATA`.

Most of what distillation gives comes from such texts (Tang et al. 2019; Mukherjee and Awadallah 2019). `films`:
sentences of IMDb's unlabelled reviews, the treebank's longer phrases, variants of its training sentences, and the
sentences in which a review and its counterfactual edit differ. `tweets` and `forum`: the training posts and variants of
them. `posts`: more variants of both. `products`: unlabelled reviews and sentences of others, as people write them.
A variant has words swapped for others that follow the same word, or two halves put together anew.
"""

import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import polars as pl

SEED = 5
DEV = ("sst_dev", "tweets_dev", "forum_dev", "products_dev", "imdb_dev", "counterfactual_dev_edited")
FILM_TEXTS = 90_000
REVIEW_SENTENCES = 40_000
PRODUCT_REVIEWS = 8_000
PRODUCT_SENTENCES = 40_000
TWEET_VARIANTS = 12_000
FORUM_VARIANTS = 10_000
VARIED_POSTS = 15_000  # tweets, and as many comments: two more variants each
SWAPPED = 6  # variants of each treebank sentence
JOINED = 4
MIN_WORDS, MAX_WORDS = 5, 40
SWAP_SHARE = 0.15  # of a sentence's words

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?:<br\s*/?>\s*)+")


def review_sentences(reviews: list[str], count: int, rng: random.Random) -> list[str]:
    """Return so many distinct sentences, from as many reviews as can be."""
    found: list[str] = []
    for review in reviews:
        sentences = sentences_of(review)
        found += rng.sample(sentences, min(4, len(sentences)))
    distinct = list(dict.fromkeys(found))
    return rng.sample(distinct, min(count, len(distinct)))


def variants(sentences: list[str], rng: random.Random, *, swapped: int, joined: int) -> Iterator[str]:
    """Yield so many variants of each sentence with words swapped, and so many joined of two."""
    words = [sentence.split() for sentence in sentences]
    followers: defaultdict[str, list[str]] = defaultdict(list)
    for row in words:
        for word, follower in pairwise(row):
            followers[word].append(follower)
    for row in words:
        for _ in range(swapped):
            changed = [
                rng.choice(followers[before]) if before in followers and rng.random() < SWAP_SHARE else word
                for before, word in zip(["", *row], row, strict=False)
            ]
            yield " ".join(changed)
        for _ in range(joined):
            other = rng.choice(words)
            yield " ".join(row[: _cut(row, rng)] + other[_cut(other, rng) :])


def _cut(row: list[str], rng: random.Random) -> int:
    """Return a place to cut: after a comma or before a joining word where there is one, else near the middle."""
    joints = [
        place
        for place in range(2, len(row) - 1)
        if row[place - 1] in (",", ";", ":", "--") or row[place] in ("but", "and")
    ]
    return rng.choice(joints) if joints else len(row) // 2


def sentences_of(review: str) -> list[str]:
    """Return its sentences that are neither too short nor too long to say something."""
    return [part for part in _SENTENCE_END.split(review) if MIN_WORDS <= len(part.split()) <= MAX_WORDS]


def edited_sentences(reviews: list[str]) -> list[str]:
    """Return the sentences that are in one review alone: of reviews and their edits, those that differ."""
    found = Counter(sentence for review in reviews for sentence in dict.fromkeys(sentences_of(review)))
    return [sentence for sentence, times in found.items() if times == 1]


def main(data: Path) -> None:
    """Write the tables, without a text that is in a dev set."""

    def texts_of(name: str) -> list[str]:
        return pl.read_parquet(data / f"{name}.parquet")["text"].to_list()

    judged = {text for name in DEV for text in texts_of(name)}

    def write(name: str, texts: Sequence[str], rng: random.Random) -> None:
        kept = [text for text in dict.fromkeys(texts) if text.strip() and text not in judged]
        rng.shuffle(kept)
        pl.DataFrame({"text": kept}).write_parquet(data / f"transfer_{name}.parquet")
        print(f"transfer_{name}: {len(kept):,} rows")

    rng = random.Random(SEED)
    texts = review_sentences(texts_of("imdb_unlabelled"), REVIEW_SENTENCES, rng)
    texts += variants(texts_of("sst_train"), rng, swapped=SWAPPED, joined=JOINED)
    texts += (text for text in texts_of("sst_train_phrases") if len(text.split()) >= MIN_WORDS)
    rng.shuffle(texts)
    first = edited_sentences(texts_of("counterfactual_train"))
    write("films", [text for text in dict.fromkeys([*first, *texts]) if text not in judged][:FILM_TEXTS], rng)

    for name, count in (("tweets", TWEET_VARIANTS), ("forum", FORUM_VARIANTS)):
        rng = random.Random(SEED)
        posts = texts_of(f"{name}_train")
        drawn = rng.sample(posts, min(len(posts), count // 2))
        write(name, [*posts, *variants(drawn, rng, swapped=1, joined=1)], rng)

    rng = random.Random(SEED + 1)  # other posts than above
    texts = []
    for name in ("tweets", "forum"):
        posts = texts_of(f"{name}_train")
        texts += variants(rng.sample(posts, min(len(posts), VARIED_POSTS)), rng, swapped=1, joined=1)
    write("posts", texts, rng)

    rng = random.Random(SEED)
    unlabelled = texts_of("products_unlabelled")
    sentences = review_sentences(unlabelled, PRODUCT_SENTENCES, rng)
    whole = rng.sample(unlabelled, min(len(unlabelled), PRODUCT_REVIEWS))
    write("products", [*whole, *sentences], rng)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m recipes.transfer DATA")
    main(Path(sys.argv[1]))
