"""Texts and models to measure with, made here by seed: short sentences and long reviews, as long as the real ones."""

import math
import random
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import torch

from sentiment import bundle as bundles
from sentiment.bundle import Bundle
from sentiment.config import ModelConfig, TextConfig
from sentiment.default import DEFAULT_MODEL
from sentiment.nn.model import SentimentModel
from sentiment.text.vocabulary import PAD, UNK, Vocabulary

SENTENCES = 2_210  # as many as SST's test split has
REVIEWS = 500
LABELS = ("negative", "neutral", "positive")

_SYLLABLES = [consonant + vowel for consonant in "bcdfghklmnprstvw" for vowel in ("a", "e", "i", "o", "u", "ea", "or")]
_CONTRACTIONS = ("don't", "it's", "isn't", "they've", "can't", "I'm")
_UNKNOWN_SHARE = 0.02


def generated_texts(vocabulary: Vocabulary, seed: int = 0) -> dict[str, list[str]]:
    """Return sentences of 2 to 50 tokens, mean 20, and reviews of 11 to 1,500, mean 260 and median 210."""
    rng = random.Random(seed)
    sentences, reviews = sentence_lengths(SENTENCES, rng), review_lengths(REVIEWS, rng)
    return {"sentences": written_texts(vocabulary, sentences, rng), "reviews": written_texts(vocabulary, reviews, rng)}


def sentence_lengths(count: int, rng: random.Random) -> list[int]:
    """Return lengths of 2 to 50 tokens, mean 20."""
    return [round(min(50, max(2, rng.gauss(20, 9)))) for _ in range(count)]


def review_lengths(count: int, rng: random.Random) -> list[int]:
    """Return lengths of 11 to 1,500 tokens, mean 260 and median 210."""
    return [round(min(1_500, max(11, rng.lognormvariate(math.log(210), 0.62)))) for _ in range(count)]


def real_texts(folder: Path) -> dict[str, list[str]]:
    """Return sentences of `sst_dev.parquet`, each twice to have enough, and reviews of `imdb_train.parquet`."""
    import polars as pl

    sentences = pl.read_parquet(folder / "sst_dev.parquet")["text"].to_list()
    reviews = pl.read_parquet(folder / "imdb_train.parquet")["text"].sample(REVIEWS, seed=0).to_list()
    return {"sentences": (2 * sentences)[:SENTENCES], "reviews": reviews}


def bundle_to_measure(folder: Path = DEFAULT_MODEL) -> Bundle:
    """Return the model of the folder, or one of seeded random weights and the usual sizes where there is none."""
    return bundles.load(folder) if folder.exists() else random_bundle(ModelConfig(), vocabulary_size=20_000)


def random_bundle(config: ModelConfig, vocabulary_size: int, seed: int = 0) -> Bundle:
    """Return a bundle of seeded random weights and a vocabulary of invented words."""
    rng = random.Random(seed)
    words = dict.fromkeys([".", ",", "n't", "'s", "do", "is", "ca", "'ve", "it", "they"])
    while len(words) < vocabulary_size - 2:
        words[_invented_word(rng)] = None
    vocabulary = Vocabulary([PAD, UNK, *words][:vocabulary_size])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = SentimentModel(config, vocabulary_size=len(vocabulary), num_classes=len(LABELS))
    return Bundle("random", model.eval().requires_grad_(False), vocabulary, LABELS, TextConfig())


def written_texts(vocabulary: Vocabulary, lengths: Sequence[int], rng: random.Random) -> list[str]:
    """Write texts of about so many tokens each, of the vocabulary's words."""
    words = [token for token in vocabulary.tokens if token.isalpha()]
    # Zipf's law: the n-th word occurs about 1/n times as often as the first; the vocabulary is in that order.
    weights = list(accumulate(1 / (rank + 3) for rank in range(len(words))))
    return [_text(rng.choices(words, cum_weights=weights, k=length), rng) for length in lengths]


def _text(words: list[str], rng: random.Random) -> str:
    """Write a text of about as many tokens as words: one in seven is a sign, as in real text."""
    written = []
    ended = True
    for place, word in enumerate(words[: max(1, round(len(words) * 6 / 7))]):
        if rng.random() < _UNKNOWN_SHARE:
            word = _invented_word(rng) + "x"
        elif rng.random() < 0.01:
            word = rng.choice(_CONTRACTIONS)
        if ended:
            word = word.capitalize()
        ended = place % 18 == 17
        written.append(word + "." if ended else word + "," if rng.random() < 0.08 else word)
    return " ".join(written).rstrip(".,") + "."


def _invented_word(rng: random.Random) -> str:
    return "".join(rng.choices(_SYLLABLES, k=rng.choice((1, 2, 2, 2, 3, 3, 4))))
