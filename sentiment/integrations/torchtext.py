"""A door for those who have torchtext's objects: its vocabularies, vectors and data sets in, our text steps out.

torchtext ended with 0.18, whose binary loads with torch 2.3 only (requirements-torchtext.txt). What is trained there is
a model folder like any other, for every later torch.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from sentiment.bundle import Bundle
from sentiment.errors import ConfigError, DataError
from sentiment.predictor import Prediction, Predictor
from sentiment.text.tokenizer import Tokenizer
from sentiment.text.vocabulary import PAD, PAD_ID, UNK, UNK_ID, Vocabulary
from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.data.splits import data_in_memory
from sentiment.training.recipe import Recipe
from sentiment.training.trainer import train as train_model
from sentiment.training.vectors import WordVectors

if TYPE_CHECKING:
    from torchtext.transforms import Sequential
    from torchtext.vocab import Vectors, Vocab


def train(
    pairs: Iterable[tuple[Any, Any]],
    recipe: Recipe,
    *,
    names: Mapping[int, str] | None = None,
    vocab: "Vocab | None" = None,
    vectors: "Iterable[Vectors]" = (),
) -> Bundle:
    """Return the bundle of a model trained on a dataset iterator, ready for `sentiment.bundle.save`.

    `recipe` names no files; `names` are the data set's for its numbers. A `vocab` takes the place of the data's own
    words, and each of `vectors` (`GloVe`, `FastText`, `Vectors`) starts as many features of the embedding as it has.
    Raises DataError and TextError for what can't be learned from, ConfigError for settings that can't go together.
    """
    return train_model(
        recipe,
        data_in_memory(recipe, labelled_texts(pairs, names)),
        lambda progress: None,
        vocabulary=None if vocab is None else vocabulary_of(vocab),
        vectors=[word_vectors(each) for each in vectors],
    )


def labelled_texts(pairs: Iterable[tuple[Any, Any]], names: Mapping[int, str] | None = None) -> LabelledTexts:
    """Return texts and labels of a dataset iterator: (label, text) as IMDB's, or (text, label) as SST2's.

    The label is the number of the two. Raises DataError for a pair of another kind or a number that `names` lacks.
    """
    texts: list[str] = []
    labels: list[str] = []
    for row, pair in enumerate(pairs, start=1):
        match pair:
            case (int(number), str(text)) | (str(text), int(number)):
                if names is not None and number not in names:
                    raise DataError(f"row {row} has the label {number}; `names` knows {', '.join(map(str, names))}")
                texts.append(text)
                labels.append(str(number) if names is None else names[number])
            case _:
                raise DataError(f"row {row} is {pair!r:.80}, not a text and the number of its label")
    return LabelledTexts("dataset iterator", texts, labels)


def vocabulary_of(vocab: "Vocab") -> Vocabulary:
    """Return the vocabulary of the same words in the same order, behind our `<pad>` and `<unk>`."""
    return Vocabulary([PAD, UNK, *(token for token in vocab.get_itos() if token not in (PAD, UNK))])


def vocab_of(vocabulary: Vocabulary) -> "Vocab":
    """Return torchtext's vocabulary with the same token ids, and `<unk>` as default."""
    vocab = _torchtext().vocab.vocab(dict.fromkeys(vocabulary.tokens, 1))
    vocab.set_default_index(UNK_ID)
    return vocab


def word_vectors(vectors: "Vectors") -> WordVectors:
    """Return the vectors as training takes them."""
    return WordVectors(vectors.stoi, np.asarray(vectors.vectors))


def text_transform(predictor: Predictor[Prediction]) -> "Sequential":
    """Return a torchtext transform from texts to the padded token ids (N, T) that the predictor's model reads."""
    transforms = _torchtext().transforms
    steps = (
        TokenizerTransform(predictor.tokenizer, predictor.vocabulary),
        transforms.VocabTransform(vocab_of(predictor.vocabulary)),
        transforms.ToTensor(padding_value=PAD_ID),
    )
    return transforms.Sequential(*steps)


class TokenizerTransform(nn.Module):
    """The step from texts to the tokens of a vocabulary, in the form of torchtext's transforms."""

    def __init__(self, tokenizer: Tokenizer, vocabulary: Vocabulary) -> None:
        super().__init__()
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary

    def forward(self, texts: list[str]) -> list[list[str]]:
        """Return the tokens of each text as they are read; of one that normalises to nothing, `<unk>`."""
        names = self._vocabulary.tokens
        read = (self._vocabulary.encode(tokens) for tokens, _ in self._tokenizer.tokenize(texts))
        return [[names[token_id] for token_id in token_ids] or [UNK] for token_ids in read]


def _torchtext() -> Any:
    try:
        import torchtext

        torchtext.disable_torchtext_deprecation_warning()
        import torchtext.transforms
        import torchtext.vocab
    except (ImportError, OSError):  # OSError where its binary meets another torch
        needed = (
            "torchtext 0.18 and torch 2.3: pip install -r requirements-torchtext.txt, in an environment of their own"
        )
        raise ConfigError(f"this door needs {needed}; torch is {torch.__version__} here") from None
    return torchtext
