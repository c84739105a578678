"""The door to torchtext. What needs torchtext itself runs where it is installed: `make test-torchtext`."""

import importlib.util
import json
import os
import random
import subprocess
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sentiment import bundle as bundles
from sentiment import load
from sentiment.bundle import Bundle
from sentiment.classifier import Classifier
from sentiment.errors import ConfigError, DataError, TextError
from sentiment.integrations.torchtext import (
    TokenizerTransform,
    labelled_texts,
    text_transform,
    train,
    vocab_of,
    vocabulary_of,
    word_vectors,
)
from sentiment.text.vocabulary import PAD, UNK, Vocabulary
from sentiment.training.recipe import Recipe

HERE = importlib.util.find_spec("torchtext") is not None
needs_torchtext = pytest.mark.skipif(not HERE, reason="torchtext isn't installed: make test-torchtext")
TODAYS_PYTHON = os.environ.get("TODAYS_PYTHON")  # of an environment with today's torch
NAMES = {1: "negative", 2: "positive"}
WORDS = {1: ("dull", "awful", "poor", "boring"), 2: ("superb", "lovely", "fun", "great")}
RECIPE = Recipe.of(
    {
        "name": "iterated",
        "train": (),
        "model": {"embedding_size": 8, "hidden_size": 8},
        "training": {"epochs": 4, "learning_rate": 0.02},
    }
)
TEXTS = ["the cast was superb", "the film was dull", "zyzzyva", "lovely " * 200]
ANSWER = """
import json, sys, torch
import sentiment
from dataclasses import asdict
texts = json.loads(sys.argv[2])
print(json.dumps([torch.__version__, [asdict(each) for each in sentiment.load(sys.argv[1]).predict(texts)]]))
"""


def pairs(rows: int = 200) -> Iterator[tuple[int, str]]:
    """Return examples as torchtext's IMDB gives them."""
    rng = random.Random(0)
    for row in range(rows):
        label = 1 + row % 2
        yield label, f"the {rng.choice(['cast', 'plot', 'film'])} number {row} was {rng.choice(WORDS[label])}"


@pytest.fixture(scope="module")
def trained() -> Bundle:
    if not HERE:
        return train(pairs(), RECIPE, names=NAMES)
    from torch.utils.data.datapipes.iter import IterableWrapper

    # What torchtext's data sets are made of; they themselves would be downloaded.
    return train(IterableWrapper(list(pairs())).shuffle().set_seed(0), RECIPE, names=NAMES)


def test_a_dataset_iterator_is_learned_from(trained: Bundle) -> None:
    assert trained.labels == ("negative", "positive")
    assert [each.label for each in Classifier(trained).predict(TEXTS[:2])] == ["positive", "negative"]
    assert "| dataset iterator | " in trained.card


def test_the_saved_bundle_is_one_like_any_other(trained: Bundle, tmp_path: Path) -> None:
    bundles.save(trained, tmp_path / "model")
    for one, other in zip(load(tmp_path / "model").predict(TEXTS), Classifier(trained).predict(TEXTS), strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-5)


@pytest.mark.skipif(TODAYS_PYTHON is None, reason="TODAYS_PYTHON names no other environment: make test-torchtext")
def test_todays_torch_gives_the_same_probabilities(trained: Bundle, tmp_path: Path) -> None:
    bundles.save(trained, tmp_path / "model")
    command = [str(TODAYS_PYTHON), "-c", ANSWER, str(tmp_path / "model"), json.dumps(TEXTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    version, predictions = json.loads(done.stdout)
    assert version != torch.__version__
    for one, other in zip(predictions, Classifier(trained).predict(TEXTS), strict=True):
        assert one["probabilities"] == pytest.approx(other.probabilities, abs=1e-5, rel=0)
        assert {**one, "probabilities": 0} == {**asdict(other), "probabilities": 0}


@pytest.mark.parametrize(
    ("given", "names", "labels"),
    [
        ([(1, "a"), (2, "b")], None, ["1", "2"]),
        ([("a", 0), ("b", 1)], None, ["0", "1"]),
        ([["a", 0], ["b", 1]], {0: "bad", 1: "good"}, ["bad", "good"]),
    ],
)
def test_pairs_in_either_order(given: Any, names: Any, labels: list[str]) -> None:
    found = labelled_texts(iter(given), names)
    assert (found.texts, found.labels) == (["a", "b"], labels)


@pytest.mark.parametrize(
    ("given", "names", "error", "message"),
    [
        (
            [(1, "a"), ("b", "good")],
            None,
            DataError,
            r"row 2 is \('b', 'good'\), not a text and the number of its label",
        ),
        ([("a",)], None, DataError, r"row 1 is \('a',\), not a text"),
        ([(3, "a")], NAMES, DataError, "row 1 has the label 3; `names` knows 1, 2"),
        ([(1, "a")], None, DataError, "every row has the label '1'"),
        ([(1, " "), (2, "b")], None, TextError, "text 0: is empty or blank"),
    ],
)
def test_other_pairs_are_refused(given: Any, names: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        train(iter(given), RECIPE, names=names)


def test_tokens_as_a_transform(tiny_classifier: Classifier) -> None:
    tokens = TokenizerTransform(tiny_classifier.tokenizer, tiny_classifier.vocabulary)(["It isn't GOOD!", "\u200b"])
    assert tokens == [["it", "is", "n't", "good", "!"], [UNK]]


@pytest.mark.skipif(HERE, reason="torchtext is installed")
def test_where_torchtext_is_missing_it_is_said() -> None:
    with pytest.raises(
        ConfigError, match=r"needs torchtext 0\.18 and torch 2\.3: pip install -r requirements-torchtext"
    ):
        vocab_of(Vocabulary([PAD, UNK, "good"]))


@needs_torchtext
def test_a_vocab_there_and_back() -> None:
    vocabulary = Vocabulary([PAD, UNK, "good", "film", "n't"])
    vocab = vocab_of(vocabulary)
    assert vocab.get_itos() == list(vocabulary.tokens)
    assert vocab(["film", "zyzzyva", PAD, "good"]) == [3, 1, 0, 2] == [*vocabulary.encode(["film", "zyzzyva"]), 0, 2]
    assert vocabulary_of(vocab).tokens == vocabulary.tokens


@needs_torchtext
def test_a_vocab_of_torchtexts_own_making() -> None:
    from torchtext.vocab import build_vocab_from_iterator

    vocab = build_vocab_from_iterator([["good", "good", "film"]], specials=["<unk>", "<bos>"])
    assert vocabulary_of(vocab).tokens == (PAD, UNK, "<bos>", "good", "film")


@needs_torchtext
def test_the_text_steps_are_the_predictors_own(tiny_classifier: Classifier) -> None:
    texts = ["A great film!", "zyzzyva"]
    token_ids = text_transform(tiny_classifier)(texts)
    rows = [encoded.token_ids for encoded in tiny_classifier.encode(texts)]
    assert token_ids.tolist() == [row + [0] * (4 - len(row)) for row in rows]


@needs_torchtext
def test_vectors_and_a_vocab_start_the_embedding(tmp_path: Path) -> None:
    from torchtext.vocab import Vectors

    table = {"superb": [1.0, 2.0, 3.0], "dull": [-1.0, -2.0, -3.0], "unseen": [9.0, 9.0, 9.0]}
    (tmp_path / "words.txt").write_text("".join(f"{word} {' '.join(map(str, row))}\n" for word, row in table.items()))
    vectors = Vectors("words.txt", cache=str(tmp_path))
    assert np.array_equal(word_vectors(vectors).vectors, np.array(list(table.values()), dtype=np.float32))
    fixed = RECIPE.model_copy(
        update={
            "model": RECIPE.model.model_copy(update={"num_layers": 2}),  # no integers: vectors stay as they are
            "training": RECIPE.training.model_copy(update={"frozen_embedding_epochs": 1, "epochs": 1}),
        }
    )
    vocab = vocab_of(Vocabulary([PAD, UNK, "the", "dull", "superb", "never"]))
    bundle = train(pairs(), fixed, vocab=vocab, vectors=[vectors])
    assert bundle.vocabulary.tokens == (PAD, UNK, "the", "dull", "superb", "never")
    weight = bundle.model.embedding.weight
    assert weight[3, :3].tolist() == table["dull"]
    assert weight[4, :3].tolist() == table["superb"]
    assert weight[5, :3].tolist() != table["unseen"]
